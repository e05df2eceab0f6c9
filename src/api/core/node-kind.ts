import { defineKind } from "../meta/kind.ts";
import { type Node, nodes } from "./core-types.ts";

const rolePrefix = "node-role.kubernetes.io/";

function statusText({ spec, status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === "Ready")?.status;
  const text = ready === "True" ? "Ready" : ready === undefined ? "Unknown" : "NotReady";
  return spec?.unschedulable === true ? `${text},SchedulingDisabled` : text;
}

function roles({ metadata }: Node): string {
  const names = Object.keys(metadata.labels ?? {})
    .filter((label) => label.startsWith(rolePrefix))
    .map((label) => label.slice(rolePrefix.length));
  return names.length === 0 ? "<none>" : names.sort().join(",");
}

function address(node: Node, type: string): string {
  return node.status?.addresses?.find((entry) => entry.type === type)?.address ?? "<none>";
}

function info(node: Node, field: string): string {
  return node.status?.nodeInfo?.[field] ?? "<unknown>";
}

export const nodeKind = defineKind<Node>({
  type: nodes,
  singular: "node",
  shortNames: ["no"],
  status: true,
  generation: false,
  fields: ["spec", "status"],
  setDefaults(node) {
    node.spec ??= {};
    if (node.spec.podCIDR !== undefined) node.spec.podCIDRs ??= [node.spec.podCIDR];
  },
  columns: [
    { name: "Status", cell: statusText },
    { name: "Roles", cell: roles },
    { name: "Version", cell: (node) => info(node, "kubeletVersion") },
    { name: "Internal-IP", wide: true, cell: (node) => address(node, "InternalIP") },
    { name: "External-IP", wide: true, cell: (node) => address(node, "ExternalIP") },
    { name: "OS-Image", wide: true, cell: (node) => info(node, "osImage") },
    { name: "Kernel-Version", wide: true, cell: (node) => info(node, "kernelVersion") },
    { name: "Container-Runtime", wide: true, cell: (node) => info(node, "containerRuntimeVersion") },
  ],
  selectableFields: { "spec.unschedulable": ({ spec }) => String(spec?.unschedulable ?? false) },
});
