/** What upstream checks of containers, with its paths and messages. Pure. */
import type { Problem } from "#lib";
import { invalid, required, unsupported } from "../argo/field-problem.ts";
import { canonicalQuantity } from "../meta/canonical-quantity.ts";
import {
  configKeyFaults,
  faultProblems,
  labelFaults,
  portNameFaults,
  portNumberFaults,
  qualifiedNameFaults,
} from "../meta/name-rules.ts";
import { milliOf } from "../meta/quantity.ts";
import type { Container, EnvFromSource, EnvVar } from "./pod.ts";
import { filePathProblems, referenceNameProblems } from "./volume-validation.ts";

const duplicate = (path: string, value: unknown): Problem => ({
  path,
  message: `Duplicate value: ${JSON.stringify(value)}`,
});

/** What containers of every sort have in common. */
export function containerProblems(container: Container, path: string, volumes: ReadonlySet<string>): Problem[] {
  const { name, image, imagePullPolicy: policy, terminationMessagePolicy } = container;
  const problems: Problem[] = name
    ? faultProblems(`${path}.name`, name, labelFaults(name))
    : [required(`${path}.name`, "")];
  if (!image) problems.push(required(`${path}.image`, ""));
  if (terminationMessagePolicy !== undefined && !messagePolicies.includes(terminationMessagePolicy)) {
    problems.push(unsupported(`${path}.terminationMessagePolicy`, terminationMessagePolicy, messagePolicies));
  }
  problems.push(...portProblems(container, `${path}.ports`));
  (container.env ?? []).forEach((variable, index) =>
    problems.push(...variableProblems(variable, `${path}.env[${index}]`)),
  );
  (container.envFrom ?? []).forEach((source, index) =>
    problems.push(...envFromProblems(source, `${path}.envFrom`, index)),
  );
  problems.push(...mountProblems(container, `${path}.volumeMounts`, volumes));
  if (policy !== undefined && !pullPolicies.includes(policy)) {
    problems.push(unsupported(`${path}.imagePullPolicy`, policy, pullPolicies));
  }
  return [...problems, ...resourceProblems(container, `${path}.resources`)];
}

const messagePolicies = ["File", "FallbackToLogsOnError"];
const pullPolicies = ["Always", "IfNotPresent", "Never"];
const protocols = ["SCTP", "TCP", "UDP"];

function portProblems(container: Container, path: string): Problem[] {
  const names = new Set<string>();
  return (container.ports ?? []).flatMap((port, index) => {
    const at = `${path}[${index}]`;
    const problems: Problem[] = [];
    if (port.name) {
      const faults = portNameFaults(port.name);
      problems.push(...faultProblems(`${at}.name`, port.name, faults));
      if (faults.length === 0 && names.has(port.name)) problems.push(duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    if (!port.containerPort) problems.push(required(`${at}.containerPort`, ""));
    else
      problems.push(...faultProblems(`${at}.containerPort`, port.containerPort, portNumberFaults(port.containerPort)));
    if (port.hostPort)
      problems.push(...faultProblems(`${at}.hostPort`, port.hostPort, portNumberFaults(port.hostPort)));
    if (port.protocol !== undefined && !protocols.includes(port.protocol)) {
      problems.push(unsupported(`${at}.protocol`, port.protocol, protocols));
    }
    return problems;
  });
}

const environmentFields = new Set([
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
]);
const resourceFields = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];

function variableNameFaults(name: string): string[] {
  return /^[\x20-\x3c\x3e-\x7e]+$/.test(name)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

function variableProblems(variable: EnvVar, path: string): Problem[] {
  const { name, value, valueFrom } = variable;
  const problems = name
    ? faultProblems(`${path}.name`, name, variableNameFaults(name))
    : [required(`${path}.name`, "")];
  if (valueFrom === undefined) return problems;
  const at = `${path}.valueFrom`;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef !== undefined) problems.push(...fieldRefProblems(fieldRef.fieldPath, `${at}.fieldRef`));
  if (resourceFieldRef !== undefined) {
    const { resource } = resourceFieldRef;
    if (!resource) problems.push(required(`${at}.resourceFieldRef.resource`, ""));
    else if (!resourceFields.includes(resource) && !/^(?:limits|requests)\.hugepages-/.test(resource)) {
      problems.push(unsupported(`${at}.resourceFieldRef.resource`, resource, resourceFields));
    }
  }
  if (configMapKeyRef !== undefined) problems.push(...keyRefProblems(configMapKeyRef, `${at}.configMapKeyRef`));
  if (secretKeyRef !== undefined) problems.push(...keyRefProblems(secretKeyRef, `${at}.secretKeyRef`));
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef].filter((source) => source !== undefined);
  const one = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`";
  if (sources.length === 0) problems.push(invalid(at, "", one));
  else if (value) problems.push(invalid(at, "", "may not be specified when `value` is not empty"));
  else if (sources.length > 1) problems.push(invalid(at, "", "may not have more than one field specified at a time"));
  return problems;
}

function fieldRefProblems(field: string | undefined, path: string): Problem[] {
  if (!field) return [required(`${path}.fieldPath`, "")];
  const subscript = /^metadata\.(annotations|labels)\['(.*)'\]$/.exec(field);
  if (subscript !== null)
    return faultProblems(path, subscript[2], qualifiedNameFaults((subscript[2] ?? "").toLowerCase()));
  if (environmentFields.has(field)) return [];
  if (/^(?:metadata|spec|status)\./.test(field)) {
    return [unsupported(`${path}.fieldPath`, field, [...environmentFields])];
  }
  const why = `error converting fieldPath: field label not supported: ${field}`;
  return [invalid(`${path}.fieldPath`, field, why)];
}

function keyRefProblems(reference: { name: string; key: string }, path: string): Problem[] {
  const problems = referenceNameProblems(reference.name, `${path}.name`);
  if (!reference.key) return [...problems, required(`${path}.key`, "")];
  return [...problems, ...faultProblems(`${path}.key`, reference.key, configKeyFaults(reference.key))];
}

function envFromProblems({ prefix, configMapRef, secretRef }: EnvFromSource, path: string, index: number): Problem[] {
  const at = `${path}[${index}]`;
  const problems = prefix ? faultProblems(`${at}.prefix`, prefix, variableNameFaults(prefix)) : [];
  for (const [field, reference] of [
    ["configMapRef", configMapRef],
    ["secretRef", secretRef],
  ] as const) {
    if (reference === undefined) continue;
    if (!reference.name) problems.push(required(`${at}.${field}.name`, ""));
    else problems.push(...referenceNameProblems(reference.name, `${at}.${field}.name`));
  }
  if (configMapRef === undefined && secretRef === undefined) {
    problems.push(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
  } else if (configMapRef !== undefined && secretRef !== undefined) {
    problems.push(invalid(path, "", "may not have more than one field specified at a time"));
  }
  return problems;
}

function mountProblems(container: Container, path: string, volumes: ReadonlySet<string>): Problem[] {
  const places = new Set<string>();
  return (container.volumeMounts ?? []).flatMap((mount, index) => {
    const at = `${path}[${index}]`;
    const problems: Problem[] = [];
    if (!mount.name) problems.push(required(`${at}.name`, ""));
    if (!volumes.has(mount.name)) {
      problems.push({ path: `${at}.name`, message: `Not found: ${JSON.stringify(mount.name)}` });
    }
    if (!mount.mountPath) problems.push(required(`${at}.mountPath`, ""));
    if (places.has(mount.mountPath)) problems.push(invalid(`${at}.mountPath`, mount.mountPath, "must be unique"));
    places.add(mount.mountPath);
    if (mount.subPath) problems.push(...filePathProblems(mount.subPath, `${path}.subPath`));
    if (mount.subPathExpr && mount.subPath) {
      const why = "subPathExpr and subPath are mutually exclusive";
      problems.push(invalid(`${at}.subPathExpr`, mount.subPathExpr, why));
    }
    return problems;
  });
}

function resourceProblems({ resources }: Container, path: string): Problem[] {
  const { limits = {}, requests = {} } = resources ?? {};
  const problems: Problem[] = [];
  for (const [list, amounts] of Object.entries({ limits, requests })) {
    for (const [name, amount] of Object.entries(amounts)) {
      const at = `${path}.${list}[${name}]`;
      if (canonicalQuantity(String(amount))?.startsWith("-") === true) {
        problems.push(invalid(at, amount, "must be greater than or equal to 0"));
      }
    }
  }
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit === undefined || (milliOf(request) ?? 0) <= (milliOf(limit) ?? 0)) continue;
    problems.push(invalid(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`));
  }
  return problems;
}

/** Ports on the host that two containers would share. */
export function hostPortProblems(containers: readonly Container[], path: string): Problem[] {
  const taken = new Set<string>();
  return containers.flatMap(({ ports }, at) =>
    (ports ?? []).flatMap((port, index) => {
      if (!port.hostPort) return [];
      const place = `${port.protocol ?? "TCP"}/${(port as { hostIP?: string }).hostIP ?? ""}/${port.hostPort}`;
      if (taken.has(place)) return [duplicate(`${path}[${at}].ports[${index}].hostPort`, place)];
      taken.add(place);
      return [];
    }),
  );
}
