import type { Problem } from "#lib";
import { invalid, required } from "../argo/field-problem.ts";
import { defineKind } from "../meta/kind.ts";
import { type Ingress, type IngressBackend, ingresses } from "./ingress.ts";

const pathTypes = ["Exact", "Prefix", "ImplementationSpecific"];
const hostName = /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export const ingressKind = defineKind<Ingress>({
  type: ingresses,
  singular: "ingress",
  shortNames: ["ing"],
  status: true,
  generation: true,
  fields: ["spec", "status"],
  validate: validateIngress,
  columns: [
    { name: "Class", cell: ({ spec }) => spec.ingressClassName ?? "<none>" },
    { name: "Hosts", cell: hosts },
    {
      name: "Address",
      cell: ({ status }) => (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname).join(","),
    },
    { name: "Ports", cell: ({ spec }) => ((spec.tls ?? []).length > 0 ? "80, 443" : "80") },
  ],
});

function hosts({ spec }: Ingress): string {
  const named = (spec.rules ?? []).map((rule) => rule.host ?? "").filter((host) => host !== "");
  if (named.length === 0) return "*";
  return named.length > 3 ? `${named.slice(0, 3).join(",")} + ${named.length - 3} more...` : named.join(",");
}

function validateIngress({ spec }: Ingress): Problem[] {
  if (spec === undefined) return [required("spec", "")];
  const rules = spec.rules ?? [];
  if (rules.length === 0 && spec.defaultBackend === undefined) {
    return [invalid("spec", spec, "either `defaultBackend` or `rules` must be specified")];
  }
  const problems = backendProblems("spec.defaultBackend", spec.defaultBackend);
  rules.forEach((rule, index) => {
    const path = `spec.rules[${index}]`;
    if (rule.host !== undefined && rule.host !== "" && !hostName.test(rule.host)) {
      problems.push(
        invalid(`${path}.host`, rule.host, "a lowercase RFC 1123 subdomain, or one after '*.', is expected"),
      );
    }
    const paths = rule.http?.paths ?? [];
    if (rule.http !== undefined && paths.length === 0) problems.push(required(`${path}.http.paths`, ""));
    paths.forEach((entry, at) => problems.push(...pathProblems(`${path}.http.paths[${at}]`, entry)));
  });
  return problems;
}

interface IngressPath {
  path?: string;
  pathType?: string;
  backend?: IngressBackend;
}

function pathProblems(path: string, entry: IngressPath): Problem[] {
  const problems: Problem[] = [];
  if (entry.pathType === undefined) problems.push(required(`${path}.pathType`, "pathType must be specified"));
  else if (!pathTypes.includes(entry.pathType)) {
    const known = pathTypes.map((type) => JSON.stringify(type)).join(", ");
    const message = `Unsupported value: ${JSON.stringify(entry.pathType)}: supported values: ${known}`;
    problems.push({ path: `${path}.pathType`, message });
  }
  const strict = entry.pathType === "Exact" || entry.pathType === "Prefix";
  if (strict && !(entry.path ?? "").startsWith("/")) {
    problems.push(invalid(`${path}.path`, entry.path ?? "", "must be an absolute path"));
  }
  if (entry.backend === undefined) return [...problems, required(`${path}.backend`, "")];
  return [...problems, ...backendProblems(`${path}.backend`, entry.backend)];
}

function backendProblems(path: string, backend: IngressBackend | undefined): Problem[] {
  if (backend === undefined) return [];
  const { service, resource } = backend;
  if (service === undefined) return resource === undefined ? [required(`${path}.service`, "")] : [];
  if (resource !== undefined) return [invalid(path, "", "cannot set both resource and service backends")];
  if (!service.name) return [required(`${path}.service.name`, "")];
  const { number, name } = service.port ?? {};
  if (number === undefined && !name) return [required(`${path}.service`, "port name or number is required")];
  if (number !== undefined && name) return [invalid(path, "", "cannot set both port name & port number")];
  return [];
}
