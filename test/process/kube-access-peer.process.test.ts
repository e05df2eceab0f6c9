/** The same roles and bindings, the same questions: our answers are those of the real kube-apiserver. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import type { ClusterRole, PolicyRule } from "#api";
import { wholeRule } from "../../src/kube/server/authorization/policy-rule.ts";
import { missingText, uncovered } from "../../src/kube/server/authorization/rule-cover.ts";
import { type KubeApi, type KubeCall, type KubeReply, startOwnApi } from "../support/kube-api.ts";
import { skipWithoutPeer, startKubePeer } from "../support/kube-peer.ts";

const rbac = "/apis/rbac.authorization.k8s.io/v1";
const team = `${rbac}/namespaces/team`;
const reviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

interface Both extends AsyncDisposable {
  readonly ours: KubeApi;
  readonly theirs: KubeApi;
  /** Asks both, as admin or as somebody else. */
  ask(call: Asked): Promise<{ ours: KubeReply; theirs: KubeReply }>;
}

interface Asked {
  readonly path: string;
  readonly method?: KubeCall["method"];
  readonly body?: unknown;
  readonly as?: string;
}

async function startBoth(t: TestContext): Promise<Both> {
  const theirs = await startKubePeer("RBAC");
  const ours = await startOwnApi(t);
  const ask: Both["ask"] = async ({ path, method, body, as }) => {
    const call: KubeCall = {
      path,
      method: method ?? (body === undefined ? "GET" : "POST"),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: as === undefined ? {} : { "impersonate-user": as },
    };
    return { ours: await ours.call(call), theirs: await theirs.call(call) };
  };
  for (const name of ["team", "other"]) {
    await ask({ path: "/api/v1/namespaces", body: { apiVersion: "v1", kind: "Namespace", metadata: { name } } });
  }
  return { ours, theirs, ask, [Symbol.asyncDispose]: () => theirs[Symbol.asyncDispose]() };
}

/** It answers from caches, which follow what was written a little later. */
async function seen(api: KubeApi, path: string, body: unknown): Promise<void> {
  for (let attempt = 1; attempt <= 200; attempt++) {
    const reply = await api.call({ method: "POST", path, body: JSON.stringify(body) });
    if ((reply.json["status"] as { allowed?: boolean } | undefined)?.allowed === true) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("The real API server did not see the last binding within 10 s");
}

function named(kind: string, name: string, content: object): unknown {
  return { apiVersion: "rbac.authorization.k8s.io/v1", kind, metadata: { name }, ...content };
}

function bound(kind: string, name: string, role: string, subjects: readonly object[]): unknown {
  const [roleKind = "", roleName = ""] = role.split("/");
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: roleKind, name: roleName };
  return named(kind, name, { subjects, roleRef });
}

function user(name: string): object {
  return { apiGroup: "rbac.authorization.k8s.io", kind: "User", name };
}

const some = (...values: string[]): fc.Arbitrary<string[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 });
const rule = fc.record({
  verbs: some("get", "list", "create", "*"),
  apiGroups: some("", "apps", "*"),
  resources: some("pods", "pods/log", "deployments", "deployments/scale", "*/scale", "*"),
  resourceNames: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: some("web", "db") }),
});
const urls = fc.record({ verbs: some("get", "*"), nonResourceURLs: some("/healthz", "/logs/*", "/l*", "*") });
const rules = fc.array(rule, { minLength: 1, maxLength: 2 });
const subjects = fc.array(
  fc.oneof(
    fc.constantFrom("ada", "bob").map(user),
    fc.constantFrom("dev", "ops").map((name) => ({ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name })),
    fc.constant({ kind: "ServiceAccount", name: "robot", namespace: "team" }),
  ),
  { minLength: 1, maxLength: 2 },
);
const question = fc.record({
  user: fc.constantFrom("ada", "bob", "carol", "system:serviceaccount:team:robot"),
  groups: fc.uniqueArray(fc.constantFrom("dev", "ops", "system:authenticated"), { maxLength: 2 }),
  attributes: fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        resourceAttributes: fc.record({
          verb: fc.constantFrom("get", "list", "create", "delete"),
          group: fc.constantFrom("", "apps", "batch"),
          resource: fc.constantFrom("pods", "deployments", "secrets"),
          subresource: fc.constantFrom("", "", "log", "scale"),
          namespace: fc.constantFrom("", "team", "other"),
          name: fc.constantFrom("", "web", "db", "other"),
        }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        nonResourceAttributes: fc.record({
          verb: fc.constantFrom("get", "post"),
          path: fc.constantFrom("/healthz", "/logs", "/logs/a", "/version", "/"),
        }),
      }),
    },
  ),
});

test(
  "whatever roles and bindings say, every question has the answer of the real API server",
  { skip: skipWithoutPeer() },
  async (t) => {
    await using both = await startBoth(t);
    const clusterRoleRules = fc.oneof({ weight: 3, arbitrary: rules }, { weight: 1, arbitrary: fc.tuple(urls) });
    const sample = <T>(arbitrary: fc.Arbitrary<T>, count: number): T[] =>
      fc.sample(arbitrary, { numRuns: count, seed: 42 });
    for (const [index, each] of sample(rules, 6).entries()) {
      for (const place of ["team", "other"]) {
        await both.ask({
          path: `${rbac}/namespaces/${place}/roles`,
          body: named("Role", `r${index}`, { rules: each }),
        });
      }
    }
    for (const [index, each] of sample(clusterRoleRules, 6).entries()) {
      await both.ask({ path: `${rbac}/clusterroles`, body: named("ClusterRole", `r${index}`, { rules: each }) });
    }
    // Some name roles that are not there.
    const bindings = fc.record({ subjects, role: fc.integer({ min: 0, max: 9 }), cluster: fc.boolean() });
    for (const [index, { subjects: who, role, cluster }] of sample(bindings, 40).entries()) {
      const target = `${cluster ? "ClusterRole" : "Role"}/r${role}`;
      await both.ask({ path: `${team}/rolebindings`, body: bound("RoleBinding", `b${index}`, target, who) });
      const everywhere = bound("ClusterRoleBinding", `b${index}`, `ClusterRole/r${role}`, who);
      if (index % 3 === 0) await both.ask({ path: `${rbac}/clusterrolebindings`, body: everywhere });
    }
    const last = bound("ClusterRoleBinding", "last", "ClusterRole/cluster-admin", [user("last")]);
    await both.ask({ path: `${rbac}/clusterrolebindings`, body: last });
    const sign = { spec: { user: "last", resourceAttributes: { verb: "get", resource: "pods" } } };
    const review = (spec: object): object => ({
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec,
    });
    await seen(both.theirs, reviews, review(sign.spec));
    let allowed = 0;
    for (const { user: name, groups, attributes } of sample(question, 400)) {
      const body = review({ user: name, groups, ...attributes });
      const { ours, theirs } = await both.ask({ path: reviews, body });
      const [own, real] = [ours, theirs].map(({ json }) => json["status"] as { allowed: boolean; reason?: string });
      assert.equal(own?.allowed, real?.allowed, `${JSON.stringify(body)}: ${own?.reason} / ${real?.reason}`);
      if (own?.allowed === true) allowed += 1;
    }
    // Questions that are all answered alike would prove nothing.
    assert.ok(allowed > 40 && allowed < 360, `${allowed} of 400 were allowed`);
  },
);

test("refusals are worded as the real API server words them", { skip: skipWithoutPeer() }, async (t) => {
  await using both = await startBoth(t);
  const secrets = { apiGroups: [""], resources: ["secrets"], verbs: ["get", "list"] };
  const writer = {
    apiGroups: ["rbac.authorization.k8s.io"],
    resources: ["*"],
    verbs: ["create", "get", "update", "delete"],
  };
  await both.ask({ path: `${team}/roles`, body: named("Role", "lead", { rules: [secrets, writer] }) });
  await both.ask({ path: `${team}/rolebindings`, body: bound("RoleBinding", "lead", "Role/lead", [user("ada")]) });
  await both.ask({ path: `${team}/rolebindings`, body: bound("RoleBinding", "broken", "Role/none", [user("bob")]) });
  const asked = { user: "ada", resourceAttributes: { verb: "get", resource: "secrets", namespace: "team" } };
  await seen(both.theirs, reviews, { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec: asked });
  const more = {
    rules: [
      { apiGroups: ["", "apps"], resources: ["pods", "deployments"], verbs: ["get", "*"] },
      { ...secrets, resourceNames: ["a"] },
    ],
  };
  const calls: Asked[] = [
    { path: "/api/v1/namespaces/team/pods", as: "ada" },
    { path: "/api/v1/namespaces/team/pods/web/log", as: "ada" },
    { path: "/api/v1/pods?watch=true", as: "ada" },
    { path: "/api/v1/namespaces/team/pods/web", as: "bob" },
    { path: "/api/v1/namespaces/other", as: "ada" },
    { path: "/api/v1/nodes/x/status", method: "PUT", as: "ada", body: {} },
    { path: "/apis/apps/v1/namespaces/team/deployments", method: "DELETE", as: "ada" },
    { path: "/apis/nothing.example/v1/things", as: "ada" },
    { path: "/nothing<b>", as: "ada" },
    { path: `${team}/roles`, as: "ada", body: named("Role", "more", more) },
    {
      path: `${team}/rolebindings`,
      as: "ada",
      body: bound("RoleBinding", "b", "ClusterRole/cluster-admin", [user("ada")]),
    },
    { path: `${team}/rolebindings`, as: "ada", body: bound("RoleBinding", "b", "Role/missing", [user("ada")]) },
    { path: `${rbac}/clusterroles`, as: "ada", body: named("ClusterRole", "c", { rules: [] }) },
    { path: `${team}/roles`, body: named("Role", "wrong", { rules: [{ verbs: [], resources: ["pods"] }] }) },
    { path: `${team}/roles`, body: named("Role", "wrong", { rules: [{ verbs: ["get"], nonResourceURLs: ["/a"] }] }) },
    { path: `${team}/rolebindings`, body: bound("RoleBinding", "wrong", "Thing/x", [{ kind: "Robot", name: "" }]) },
    {
      path: `${rbac}/clusterrolebindings`,
      body: bound("ClusterRoleBinding", "wrong", "Role/x", [{ kind: "ServiceAccount", name: "a" }]),
    },
    {
      path: `${team}/rolebindings/lead`,
      method: "PUT",
      body: bound("RoleBinding", "lead", "Role/other", [user("ada")]),
    },
    {
      path: reviews,
      as: "ada",
      body: { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec: asked },
    },
    {
      path: "/api/v1/namespaces/team/serviceaccounts/none/token",
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} },
    },
  ];
  for (const call of calls) {
    const { ours, theirs } = await both.ask(call);
    // Values are printed in Go's notation there, which says nothing here.
    const words = (text: unknown): string =>
      String(text).replaceAll(/Invalid value: .*?: (?=[a-z])/g, "Invalid value: ");
    const told = ({ code, json }: KubeReply) => ({ code, reason: json["reason"], message: words(json["message"]) });
    assert.deepEqual(told(ours), told(theirs), `${call.method ?? ""} ${call.path} as ${call.as}`);
  }
});

/** Groups and resources that are not served here, nor in any Kubernetes of today for the first. */
const notHere = /"(?:extensions|resource\.k8s\.io)"/;

test("the default roles grant what upstream's do, and no more", { skip: skipWithoutPeer() }, async (t) => {
  await using both = await startBoth(t);
  const { ours } = await both.ask({ path: `${rbac}/clusterroles` });
  const own = (ours.json["items"] as ClusterRole[]).filter(
    ({ metadata: { name } }) => name.startsWith("system:") || name === "cluster-admin",
  );
  assert.ok(own.length >= 10);
  for (const { metadata, rules: granted = [] } of own) {
    const { theirs } = await both.ask({ path: `${rbac}/clusterroles/${metadata.name}` });
    const real = ((theirs.json["rules"] ?? []) as PolicyRule[]).map(wholeRule);
    assert.equal(
      missingText(uncovered(real, granted.map(wholeRule))),
      "",
      `${metadata.name} grants more than upstream's`,
    );
    const lacking = missingText(uncovered(granted.map(wholeRule), real))
      .split("\n")
      .filter((line) => line !== "" && !notHere.test(line));
    assert.deepEqual(lacking, [], `${metadata.name} lacks what upstream's grants`);
  }
});
