import assert from "node:assert/strict";
import { test } from "node:test";
import type { PolicyRule } from "#api";
import type { Attributes } from "./attributes.ts";
import { ruleAllows, ruleText, wholeRule } from "./policy-rule.ts";
import { missingText, uncovered } from "./rule-cover.ts";

const pods: PolicyRule = { verbs: ["get", "list"], apiGroups: [""], resources: ["pods"] };

/** `get pods/log in team of web`, `list deployments.apps`, `get /healthz`. */
function wanted(text: string): Attributes {
  const [verb = "", what = "", , namespace = "", , name = ""] = text.split(" ");
  if (what.startsWith("/")) return { kind: "path", verb, path: what };
  const [qualified = "", subresource = ""] = what.split("/");
  const [resource = "", ...group] = qualified.split(".");
  return { kind: "resource", verb, group: group.join("."), resource, subresource, namespace, name };
}

const cases: readonly { name: string; rule: PolicyRule; yes: readonly string[]; no: readonly string[] }[] = [
  {
    name: "names verbs, group and resource, and nothing beside them",
    rule: pods,
    yes: ["get pods", "list pods in team", "get pods in team of web"],
    no: ["watch pods", "get pods.metrics.k8s.io", "get pods/log", "get secrets", "get /pods"],
  },
  {
    name: "reaches a subresource only by its whole name",
    rule: { ...pods, resources: ["pods/exec"] },
    yes: ["get pods/exec in team of web"],
    no: ["get pods", "get pods/log", "get exec"],
  },
  {
    name: "reaches one subresource of everything by a star before it",
    rule: { ...pods, apiGroups: ["*"], resources: ["*/scale"] },
    yes: ["get deployments.apps/scale", "get rollouts.argoproj.io/scale in team of web"],
    no: ["get deployments.apps", "get deployments.apps/status", "get scale"],
  },
  {
    name: "with a star as resource reaches all of them and their subresources",
    rule: { ...pods, resources: ["*"] },
    yes: ["get secrets", "get pods/log"],
    no: ["get deployments.apps", "get /api"],
  },
  {
    name: "takes no star within a name for more than itself",
    rule: { ...pods, resources: ["pod*", "pods/*"], verbs: ["ge*"] },
    yes: [],
    no: ["get pods", "get pods/log"],
  },
  {
    name: "with names reaches those objects, and no collection",
    rule: { ...pods, verbs: ["*"], resourceNames: ["web"] },
    yes: ["get pods in team of web", "delete pods in team of web"],
    no: ["get pods in team of other", "list pods in team", "create pods in team", "deletecollection pods in team"],
  },
  {
    name: "for paths reaches no resources, and below a path only with a star at its end",
    rule: { verbs: ["get"], nonResourceURLs: ["/healthz", "/logs/*"] },
    yes: ["get /healthz", "get /logs/a/b"],
    no: ["post /healthz", "get /healthz/", "get /logs", "get pods"],
  },
  {
    name: "for every path reaches no resources",
    rule: { verbs: ["*"], nonResourceURLs: ["*"] },
    yes: ["get /", "post /anything"],
    no: ["get pods"],
  },
];
for (const { name, rule, yes, no } of cases) {
  test(`a rule ${name}`, () => {
    for (const text of yes) assert.equal(ruleAllows(wholeRule(rule), wanted(text)), true, text);
    for (const text of no) assert.equal(ruleAllows(wholeRule(rule), wanted(text)), false, text);
  });
}

test("a rule without lists, or with null for one, allows nothing", () => {
  const holes = { verbs: ["*"], apiGroups: null, resources: ["*"] } as unknown as PolicyRule;
  for (const rule of [{}, holes]) assert.equal(ruleAllows(wholeRule(rule), wanted("get pods")), false);
});

const covers: readonly { name: string; held: PolicyRule[]; asked: PolicyRule; missing: string }[] = [
  { name: "the same rule", held: [pods], asked: pods, missing: "" },
  {
    name: "two rules that hold it together",
    held: [
      { ...pods, verbs: ["get"] },
      { ...pods, verbs: ["list"] },
    ],
    asked: pods,
    missing: "",
  },
  {
    name: "no rule of one verb more",
    held: [pods],
    asked: { ...pods, verbs: ["get", "delete", "patch"] },
    missing: '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "patch"]}',
  },
  {
    name: "no star by every name that is known",
    held: [{ ...pods, verbs: ["get", "list", "watch", "create", "update", "patch", "delete"] }],
    asked: { ...pods, verbs: ["*"] },
    missing: '{APIGroups:[""], Resources:["pods"], Verbs:["*"]}',
  },
  {
    name: "a subresource by a star before it, and not the resource",
    held: [{ ...pods, resources: ["*/scale"] }],
    asked: { ...pods, verbs: ["get"], resources: ["pods/scale", "pods"] },
    missing: '{APIGroups:[""], Resources:["pods"], Verbs:["get"]}',
  },
  { name: "one name by all names", held: [pods], asked: { ...pods, resourceNames: ["web"] }, missing: "" },
  {
    name: "not all names by one",
    held: [{ ...pods, resourceNames: ["web"] }],
    asked: { ...pods, verbs: ["get"] },
    missing: '{APIGroups:[""], Resources:["pods"], Verbs:["get"]}',
  },
  {
    name: "paths below a star, and no others",
    held: [{ verbs: ["get"], nonResourceURLs: ["/api*"] }],
    asked: { verbs: ["get"], nonResourceURLs: ["/apis/apps", "/version"] },
    missing: '{NonResourceURLs:["/version"], Verbs:["get"]}',
  },
];
for (const { name, held, asked, missing } of covers) {
  test(`rights held cover ${name}`, () => {
    assert.equal(missingText(uncovered(held.map(wholeRule), [wholeRule(asked)])), missing);
  });
}

test("a rule is printed as upstream prints it", () => {
  const rule = wholeRule({ ...pods, resourceNames: ["web"] });
  assert.equal(ruleText(rule), '{APIGroups:[""], Resources:["pods"], ResourceNames:["web"], Verbs:["get" "list"]}');
});
