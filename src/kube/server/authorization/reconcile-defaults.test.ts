import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterRole, ClusterRoleBinding, PolicyRule } from "#api";
import { autoUpdateAnnotation, defaultClusterRoles } from "./default-roles.ts";
import { reconcileBinding, reconcileRole } from "./reconcile-defaults.ts";
import { aggregatedRules } from "./role-aggregation.ts";

const pods: PolicyRule = { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] };
const nodes: PolicyRule = { apiGroups: [""], resources: ["nodes"], verbs: ["get"] };

function role(name: string, rules: PolicyRule[], more: Partial<ClusterRole["metadata"]> = {}): ClusterRole {
  const metadata = { name, labels: {}, annotations: {}, ...more };
  return { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata, rules };
}

const roleCases: readonly { name: string; stored: ClusterRole | undefined; want: string; rules?: PolicyRule[] }[] = [
  { name: "one that is missing is made", stored: undefined, want: "create", rules: [pods] },
  { name: "one that is as expected is left", stored: role("r", [pods]), want: "none" },
  {
    name: "one that lacks a verb gets that verb, and keeps what it has",
    stored: role("r", [{ ...pods, verbs: ["get"] }, nodes]),
    want: "update",
    rules: [{ ...pods, verbs: ["get"] }, nodes, { apiGroups: [""], resources: ["pods"], verbs: ["list"] }],
  },
  { name: "one that somebody gave more keeps it", stored: role("r", [pods, nodes]), want: "none" },
  {
    name: "one that says it is not to be touched is not",
    stored: role("r", [], { annotations: { [autoUpdateAnnotation]: "false" } }),
    want: "none",
  },
];
for (const { name, stored, want, rules } of roleCases) {
  test(`of default roles, ${name}`, () => {
    const step = reconcileRole(stored, role("r", [pods]));
    assert.equal(step.kind, want);
    if (step.kind !== "none") assert.deepEqual(step.object.rules, rules);
  });
}

test("labels that a default role has lost come back, and others stay as somebody set them", () => {
  const expected = role("r", [pods], { labels: { a: "1", b: "2" } });
  const step = reconcileRole(role("r", [pods], { labels: { b: "3", c: "4" } }), expected);
  assert.deepEqual(step.kind === "update" && step.object.metadata.labels, { a: "1", b: "3", c: "4" });
});

test("a default role that gathers keeps what it gathered, and one that must not gather stops", () => {
  const admin = defaultClusterRoles.find(({ metadata }) => metadata.name === "admin");
  assert.ok(admin);
  assert.equal(reconcileRole({ ...admin, rules: [pods, nodes] }, admin).kind, "none");
  const gathering = { ...role("r", [pods]), aggregationRule: { clusterRoleSelectors: [{}] } };
  const step = reconcileRole(gathering, role("r", [pods]));
  assert.equal(step.kind === "update" && step.object.aggregationRule, undefined);
});

test("a default binding gets back a subject that it lost, keeps one more, and begins anew when its role is another", () => {
  const group = (name: string) => ({ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name });
  const binding = (subjects: string[], to = "r"): ClusterRoleBinding => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "b", labels: {}, annotations: {} },
    subjects: subjects.map(group),
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: to },
  });
  const step = reconcileBinding(binding(["mine"]), binding(["all"]));
  assert.deepEqual(step.kind === "update" && step.object.subjects, [group("mine"), group("all")]);
  assert.equal(reconcileBinding(binding(["all", "mine"]), binding(["all"])).kind, "none");
  assert.equal(reconcileBinding(binding(["all"], "other"), binding(["all"])).kind, "replace");
});

test("a role gathers each rule once from the others that match any selector, and never its own", () => {
  const gathering: ClusterRole = {
    ...role("all", [{ ...nodes, verbs: ["delete"] }], { labels: { to: "all" } }),
    aggregationRule: {
      clusterRoleSelectors: [
        { matchLabels: { to: "all" } },
        { matchExpressions: [{ key: "also", operator: "Exists" }] },
      ],
    },
  };
  const others = [
    role("a", [pods], { labels: { to: "all" } }),
    gathering,
    role("b", [nodes, pods], { labels: { also: "" } }),
    role("c", [{ ...pods, verbs: ["*"] }], { labels: { to: "others" } }),
  ];
  assert.deepEqual(aggregatedRules(gathering, others), [pods, nodes]);
  assert.equal(aggregatedRules(role("plain", [pods]), others), undefined);
});
