import type { Problem } from "#lib";
import { required, unsupported } from "../argo/field-problem.ts";
import { faultProblems, qualifiedNameFaults } from "../meta/name-rules.ts";
import { defineKind } from "../meta/kind.ts";
import { type Node, nodes } from "./core-types.ts";

const taintEffects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
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

function taintProblems(spec: Node["spec"]): Problem[] {
  const taints: unknown = spec?.taints;
  return (Array.isArray(taints) ? (taints as { key?: string; effect?: string }[]) : []).flatMap(
    ({ key = "", effect = "" }, index) => [
      ...faultProblems(`metadata.taints[${index}].key`, key, qualifiedNameFaults(key)),
      ...(effect === "" ? [required(`metadata.taints[${index}].effect`, "")] : []),
      ...(effect === "" || taintEffects.includes(effect)
        ? []
        : [unsupported(`metadata.taints[${index}].effect`, effect, taintEffects)]),
    ],
  );
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
    const { podCIDR, podCIDRs: [first] = [] } = node.spec;
    // The old field and the first of the new one are one and the same.
    if (podCIDR !== undefined && podCIDR !== first) node.spec.podCIDRs = [podCIDR];
    else if (first !== undefined) node.spec.podCIDR = first;
  },
  validate({ spec }, old) {
    const before = old?.spec?.podCIDRs ?? [];
    const moved = before.length > 0 && JSON.stringify(before) !== JSON.stringify(spec?.podCIDRs ?? []);
    const message = 'Forbidden: node updates may not change podCIDR except from "" to valid';
    return [...taintProblems(spec), ...(moved ? [{ path: "spec.podCIDRs", message }] : [])];
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
