/** Who may do what, over HTTP: roles, bindings, escalation, impersonation, reviews. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { FastifyInstance } from "fastify";
import { startFace, token } from "../http/testing.ts";

type Body = Record<string, unknown> & { message?: string; status?: Record<string, unknown> };

interface Asked {
  readonly as?: string;
  readonly groups?: readonly string[];
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  readonly type?: string;
}

/** Asks as admin, or as somebody else by impersonation. */
function asker(app: FastifyInstance): (path: string, options?: Asked) => Promise<{ code: number; body: Body }> {
  return async (path, { as, groups = [], method, body, type = "application/json" } = {}) => {
    const response = await app.inject({
      method: method ?? (body === undefined ? "GET" : "POST"),
      url: `/kube${path}`,
      headers: {
        authorization: `Bearer ${token}`,
        ...(as === undefined ? {} : { "impersonate-user": as }),
        ...(groups.length === 0 ? {} : { "impersonate-group": [...groups] }),
        ...(body === undefined ? {} : { "content-type": type }),
      } as unknown as Record<string, string>,
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    return { code: response.statusCode, body: response.json<Body>() };
  };
}

const rbac = "/apis/rbac.authorization.k8s.io/v1";
const team = `${rbac}/namespaces/team`;
const podReader = {
  metadata: { name: "pod-reader" },
  rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }],
};

function binding(name: string, role: string, user: string): Record<string, unknown> {
  const [kind = "", roleName = ""] = role.split("/");
  return { metadata: { name }, subjects: [{ kind: "User", name: user }], roleRef: { kind, name: roleName } };
}

async function startTeam(t: TestContext): Promise<ReturnType<typeof asker>> {
  const ask = asker(await startFace(t));
  await ask("/api/v1/namespaces", { body: { metadata: { name: "team" } } });
  await ask(`${team}/roles`, { body: podReader });
  assert.equal((await ask(`${team}/rolebindings`, { body: binding("readers", "Role/pod-reader", "ada") })).code, 201);
  return ask;
}

test("somebody may what roles say, at the next request after they say so, and is refused in upstream's words", async (t) => {
  const ask = await startTeam(t);
  const ada = { as: "ada" };
  assert.equal((await ask("/api/v1/namespaces/team/pods", ada)).code, 200);
  const everywhere = await ask("/api/v1/pods", ada);
  assert.deepEqual([everywhere.code, everywhere.body["reason"]], [403, "Forbidden"]);
  assert.equal(
    everywhere.body.message,
    'pods is forbidden: User "ada" cannot list resource "pods" in API group "" at the cluster scope',
  );
  const log = await ask("/api/v1/namespaces/team/pods/web/log", ada);
  assert.equal(
    log.body.message,
    'pods "web" is forbidden: User "ada" cannot get resource "pods/log" in API group "" in the namespace "team"',
  );
  const scale = await ask("/apis/apps/v1/namespaces/team/deployments/web/scale", { ...ada, method: "PATCH", body: {} });
  assert.match(
    scale.body.message ?? "",
    /^deployments.apps "web" is forbidden: User "ada" cannot patch resource "deployments\/scale" in API group "apps" in the namespace "team"$/,
  );
  const path = await ask("/openapi/v2", { as: "nobody", groups: ["system:unauthenticated"] });
  assert.equal(path.body.message, 'forbidden: User "nobody" cannot get path "/openapi/v2"');
  await ask(`${team}/rolebindings/readers`, { method: "DELETE" });
  assert.equal((await ask("/api/v1/namespaces/team/pods", ada)).code, 403);
});

test("who may one object may watch and list that one, and nobody reaches what belongs to no namespace through one", async (t) => {
  const ask = await startTeam(t);
  const named = {
    apiGroups: [""],
    resources: ["configmaps"],
    resourceNames: ["one"],
    verbs: ["get", "list", "delete"],
  };
  await ask(`${team}/roles`, { body: { metadata: { name: "one" }, rules: [named] } });
  await ask(`${team}/rolebindings`, { body: binding("one", "Role/one", "ada") });
  const maps = "/api/v1/namespaces/team/configmaps";
  const codes: Record<string, number> = {};
  for (const query of ["", "?fieldSelector=metadata.name%3Done", "?fieldSelector=metadata.name%3Dtwo"]) {
    codes[query] = (await ask(maps + query, { as: "ada" })).code;
  }
  assert.deepEqual(Object.values(codes), [403, 200, 403]);
  const all = await ask(`${maps}?fieldSelector=metadata.name%3Done`, { as: "ada", method: "DELETE" });
  assert.equal(all.code, 403, "deleting a collection is not deleting the one");
  // Everything in the namespace, and nothing outside of it.
  await ask(`${team}/rolebindings`, { body: binding("owner", "ClusterRole/cluster-admin", "owner") });
  const escape = `${rbac}/namespaces/team/clusterroles`;
  assert.equal((await ask(`${escape}/cluster-admin`, { as: "owner" })).code, 404);
  const body = { metadata: { name: "mine" }, rules: [] };
  assert.equal((await ask(escape, { as: "owner", body })).code, 404);
  assert.equal((await ask(`${rbac}/clusterroles`, { as: "owner", body })).code, 403);
  assert.equal((await ask("/api/v1/namespaces/team", { as: "owner" })).code, 200);
  assert.equal((await ask("/api/v1/namespaces/default", { as: "owner" })).code, 403);
});

test("nobody gives away more than he has, unless he may escalate or bind", async (t) => {
  const ask = await startTeam(t);
  await ask(`${team}/rolebindings`, { body: binding("admins", "ClusterRole/admin", "lead") });
  const secretReader = {
    ...podReader,
    metadata: { name: "own" },
    rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }],
  };
  assert.equal((await ask(`${team}/roles`, { as: "lead", body: secretReader })).code, 201);
  const nodes = {
    metadata: { name: "more" },
    rules: [{ apiGroups: [""], resources: ["nodes"], verbs: ["get", "list"] }],
  };
  const refused = await ask(`${team}/roles`, { as: "lead", body: nodes });
  assert.equal(refused.code, 403);
  assert.equal(
    refused.body.message,
    'roles.rbac.authorization.k8s.io "more" is forbidden: user "lead" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
      '{APIGroups:[""], Resources:["nodes"], Verbs:["get" "list"]}',
  );
  const patch = {
    as: "lead",
    method: "PATCH",
    type: "application/merge-patch+json",
    body: { rules: nodes.rules },
  } as const;
  for (const path of [`${team}/roles/own`, `${team}/roles/own?dryRun=All`])
    assert.equal((await ask(path, patch)).code, 403);
  const apply = {
    ...patch,
    type: "application/apply-patch+yaml",
    body: { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", ...nodes },
  };
  assert.equal((await ask(`${team}/roles/more?fieldManager=me`, apply)).code, 403);
  const asAdmin = { as: "lead", body: binding("b", "ClusterRole/cluster-admin", "lead") };
  assert.equal((await ask(`${team}/rolebindings`, asAdmin)).code, 403);
  assert.equal(
    (await ask(`${team}/rolebindings`, { as: "lead", body: binding("b", "ClusterRole/view", "ada") })).code,
    201,
  );
  const missing = await ask(`${team}/rolebindings`, { as: "lead", body: binding("c", "Role/none", "ada") });
  assert.deepEqual(
    [missing.code, missing.body.message],
    [404, 'rolebindings.rbac.authorization.k8s.io "none" not found'],
  );
  const escalate = { apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles"], verbs: ["escalate"] };
  const bind = {
    apiGroups: ["rbac.authorization.k8s.io"],
    resources: ["clusterroles"],
    resourceNames: ["cluster-admin"],
    verbs: ["bind"],
  };
  await ask(`${team}/roles`, { body: { metadata: { name: "trusted" }, rules: [escalate, bind] } });
  await ask(`${team}/rolebindings`, { body: binding("trusted", "Role/trusted", "lead") });
  assert.equal((await ask(`${team}/roles`, { as: "lead", body: nodes })).code, 201);
  assert.equal((await ask(`${team}/rolebindings`, asAdmin)).code, 409, "the name is taken, the right is not lacking");
});

test("only who has everything may let a role gather, and what it gathers follows the roles it selects", async (t) => {
  const ask = await startTeam(t);
  const writer = { apiGroups: ["rbac.authorization.k8s.io"], resources: ["clusterroles"], verbs: ["*"] };
  await ask(`${rbac}/clusterroles`, { body: { metadata: { name: "writer" }, rules: [writer, ...podReader.rules] } });
  await ask(`${rbac}/clusterrolebindings`, { body: binding("writer", "ClusterRole/writer", "lead") });
  const selector = { clusterRoleSelectors: [{ matchLabels: { gather: "me" } }] };
  const gathering = { metadata: { name: "all" }, aggregationRule: selector };
  // Who may write roles with every verb may escalate too; without it, gathering needs everything.
  const careful = { ...writer, verbs: ["create", "update"] };
  await ask(`${rbac}/clusterroles/writer`, {
    method: "PATCH",
    type: "application/merge-patch+json",
    body: { rules: [careful, ...podReader.rules] },
  });
  const refused = await ask(`${rbac}/clusterroles`, { as: "lead", body: gathering });
  assert.match(refused.body.message ?? "", /must have cluster-admin privileges to use the aggregationRule/);
  assert.equal((await ask(`${rbac}/clusterroles`, { body: gathering })).code, 201);
  await ask(`${rbac}/clusterroles`, {
    body: { metadata: { name: "part", labels: { gather: "me" } }, rules: podReader.rules },
  });
  const rules = async (): Promise<unknown> => (await ask(`${rbac}/clusterroles/all`)).body["rules"];
  for (let left = 50; left > 0 && JSON.stringify(await rules()) !== JSON.stringify(podReader.rules); left -= 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(await rules(), podReader.rules);
});

test("somebody may ask as another only where he may impersonate that very user, group and account", async (t) => {
  const app = await startFace(t);
  const ask = asker(app);
  const users = { apiGroups: [""], resources: ["users"], resourceNames: ["bob"], verbs: ["impersonate"] };
  await ask(`${rbac}/clusterroles`, { body: { metadata: { name: "as-bob" }, rules: [users] } });
  await ask(`${rbac}/clusterrolebindings`, { body: binding("as-bob", "ClusterRole/as-bob", "reader") });
  const whoami = async (headers: Record<string, string | string[]>): Promise<Body> => {
    const url = "/kube/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const all: Record<string, unknown> = {
      authorization: "Bearer reader-token",
      "content-type": "application/json",
      ...headers,
    };
    return (
      await app.inject({ method: "POST", url, headers: all as Record<string, string>, payload: "{}" })
    ).json<Body>();
  };
  assert.deepEqual((await whoami({ "impersonate-user": "bob" })).status, {
    userInfo: { username: "bob", groups: ["system:authenticated"] },
  });
  const refusals = [
    {
      headers: { "impersonate-user": "ada" },
      want: 'users "ada" is forbidden: User "reader" cannot impersonate resource "users" in API group "" at the cluster scope',
    },
    {
      headers: { "impersonate-user": "bob", "impersonate-group": ["dev", "system:masters"] },
      want: 'groups "dev" is forbidden: User "reader" cannot impersonate resource "groups" in API group "" at the cluster scope',
    },
    {
      headers: { "impersonate-user": "system:serviceaccount:kube-system:default" },
      want: 'serviceaccounts "default" is forbidden: User "reader" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "kube-system"',
    },
    {
      headers: { "impersonate-user": "bob", "impersonate-uid": "1" },
      want: 'uids.authentication.k8s.io "1" is forbidden: User "reader" cannot impersonate resource "uids" in API group "authentication.k8s.io" at the cluster scope',
    },
    {
      headers: { "impersonate-user": "bob", "impersonate-extra-scopes": "all" },
      want: 'userextras.authentication.k8s.io "all" is forbidden: User "reader" cannot impersonate resource "userextras/scopes" in API group "authentication.k8s.io" at the cluster scope',
    },
    {
      headers: { "impersonate-group": "dev" },
      want: "groups, uid and extra values can be impersonated together with a user only",
    },
  ];
  for (const { headers, want } of refusals) assert.equal((await whoami(headers)).message, want);
});

test("access reviews answer about oneself and others as a request would be answered", async (t) => {
  const ask = await startTeam(t);
  const resource = { verb: "list", resource: "pods", namespace: "team" };
  const authorization = "/apis/authorization.k8s.io/v1";
  const self = { spec: { resourceAttributes: resource } };
  const allowed = {
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "readers/team" of Role "pod-reader" to User "ada"',
  };
  assert.deepEqual(
    (await ask(`${authorization}/selfsubjectaccessreviews`, { as: "ada", body: self })).body.status,
    allowed,
  );
  const about = (user: string) => ({ spec: { ...self.spec, user } });
  const reviews = `${authorization}/subjectaccessreviews`;
  assert.deepEqual((await ask(reviews, { body: about("ada") })).body.status, allowed);
  assert.deepEqual((await ask(reviews, { body: about("bob") })).body.status, { allowed: false });
  assert.equal(
    (await ask(reviews, { as: "ada", body: about("bob") })).code,
    403,
    "asking about others is a right of its own",
  );
  const local = `${authorization}/namespaces/team/localsubjectaccessreviews`;
  assert.deepEqual((await ask(local, { body: about("ada") })).body.status, allowed);
  const elsewhere = { spec: { user: "ada", resourceAttributes: { ...resource, namespace: "default" } } };
  assert.match((await ask(local, { body: elsewhere })).body.message ?? "", /must match metadata.namespace/);
  const both = { spec: { ...self.spec, nonResourceAttributes: { path: "/", verb: "get" } } };
  assert.equal((await ask(`${authorization}/selfsubjectaccessreviews`, { body: both })).code, 422);
  const rules = await ask(`${authorization}/selfsubjectrulesreviews`, {
    as: "ada",
    body: { spec: { namespace: "team" } },
  });
  const { resourceRules, incomplete } = rules.body.status as { resourceRules: unknown[]; incomplete: boolean };
  assert.deepEqual(
    [resourceRules.at(-1), incomplete],
    [{ verbs: ["get", "list", "watch"], apiGroups: [""], resources: ["pods"] }, false],
  );
  await ask(`${team}/rolebindings`, { body: binding("broken", "Role/pod-reader", "bob") });
  await ask(`${team}/roles/pod-reader`, { method: "DELETE" });
  assert.deepEqual((await ask(reviews, { body: about("bob") })).body.status, {
    allowed: false,
    reason: 'RBAC: role.rbac.authorization.k8s.io "pod-reader" not found',
  });
});
