import type { Problem } from "#lib";
import { defineKind } from "../meta/kind.ts";
import { invalid, required } from "../argo/field-problem.ts";
import { completeService, setServiceDefaults } from "./service-defaults.ts";
import { type Service, services } from "./core-types.ts";

const types = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"];

export const serviceKind = defineKind<Service>({
  type: services,
  singular: "service",
  shortNames: ["svc"],
  categories: ["all"],
  status: true,
  generation: false,
  fields: ["spec", "status"],
  setDefaults: setServiceDefaults,
  complete: completeService,
  validate: validateService,
  columns: [
    { name: "Type", cell: ({ spec }) => spec.type ?? "ClusterIP" },
    { name: "Cluster-IP", cell: ({ spec }) => spec.clusterIP ?? "<none>" },
    { name: "External-IP", cell: externalAddress },
    { name: "Port(s)", cell: portList },
    {
      name: "Selector",
      wide: true,
      cell({ spec }) {
        const pairs = Object.entries(spec.selector ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
        return pairs.length === 0 ? "<none>" : pairs.map(([key, value]) => `${key}=${value}`).join(",");
      },
    },
  ],
  selectableFields: {
    "spec.clusterIP": ({ spec }) => spec.clusterIP ?? "",
    "spec.type": ({ spec }) => spec.type ?? "",
  },
});

function validateService(service: Service, old: Service | undefined): Problem[] {
  const { spec } = service;
  if (spec === undefined) return [required("spec", "")];
  const problems: Problem[] = [];
  if (spec.type !== undefined && !types.includes(spec.type)) {
    const known = types.map((type) => JSON.stringify(type)).join(", ");
    problems.push({
      path: "spec.type",
      message: `Unsupported value: ${JSON.stringify(spec.type)}: supported values: ${known}`,
    });
  }
  if (spec.type === "ExternalName" && !spec.externalName) problems.push(required("spec.externalName", ""));
  const ports = spec.ports ?? [];
  if (ports.length === 0 && spec.type !== "ExternalName" && spec.clusterIP !== "None") {
    problems.push(required("spec.ports", ""));
  }
  problems.push(...portProblems(ports));
  const before = old?.spec.clusterIP;
  const fixed = before !== undefined && before !== "" && old?.spec.type !== "ExternalName";
  if (fixed && spec.type !== "ExternalName" && spec.clusterIP !== before) {
    problems.push(invalid("spec.clusterIPs[0]", [spec.clusterIP], "may not change once set"));
  }
  return problems;
}

function portProblems(ports: NonNullable<Service["spec"]["ports"]>): Problem[] {
  const names = new Set<string>();
  const places = new Set<string>();
  return ports.flatMap((port, index) => {
    const path = `spec.ports[${index}]`;
    const problems: Problem[] = [];
    if (!Number.isInteger(port.port) || port.port < 1 || port.port > 65_535) {
      problems.push(invalid(`${path}.port`, port.port, "must be between 1 and 65535, inclusive"));
    }
    if (ports.length > 1 && !port.name) problems.push(required(`${path}.name`, ""));
    if (port.name && names.has(port.name)) {
      problems.push({ path: `${path}.name`, message: `Duplicate value: ${JSON.stringify(port.name)}` });
    }
    if (port.name) names.add(port.name);
    const place = `${port.protocol ?? "TCP"}/${port.port}`;
    if (places.has(place)) problems.push({ path, message: `Duplicate value: ${JSON.stringify(place)}` });
    places.add(place);
    return problems;
  });
}

function externalAddress({ spec, status }: Service): string {
  if (spec.type === "ExternalName") return spec.externalName ?? "<none>";
  const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? "");
  const listed = [...ingress.filter((text) => text !== ""), ...((spec["externalIPs"] as string[] | undefined) ?? [])];
  if (listed.length > 0) return listed.join(",");
  return spec.type === "LoadBalancer" ? "<pending>" : "<none>";
}

function portList({ spec }: Service): string {
  const ports = (spec.ports ?? []).map(({ port, nodePort, protocol }) =>
    nodePort === undefined || nodePort === 0
      ? `${port}/${protocol ?? "TCP"}`
      : `${port}:${nodePort}/${protocol ?? "TCP"}`,
  );
  return ports.length === 0 ? "<none>" : ports.join(",");
}
