/** Tokens of service accounts over HTTP: made, believed, and ended by the end of what they are bound to. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { type TestContext, test } from "node:test";
import fastify from "fastify";
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify, SignJWT } from "jose";
import { silentLog, systemIds } from "#lib";
import { ClockFake } from "#lib/testing";
import { openEmbeddedCluster } from "../../client/embedded-cluster.ts";
import { kubeRoutes } from "../http/kube-routes.ts";
import { noStreams } from "../http/testing.ts";

const authority = "-----BEGIN CERTIFICATE-----\nnot looked into\n-----END CERTIFICATE-----\n";
const { privateKey: signingKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const start = "2026-11-21T10:00:00Z";

type Body = Record<string, unknown> & { readonly status?: Record<string, unknown>; readonly message?: string };
type Ask = (
  path: string,
  options?: { token?: string; body?: unknown; method?: "DELETE" | "PUT" },
) => Promise<{ code: number; body: Body }>;

interface Subject {
  readonly ask: Ask;
  readonly clock: ClockFake;
  /** Of a new token of `team/robot`. */
  token(spec?: Record<string, unknown>): Promise<string>;
  /** Who the token is here, or the code of the refusal. */
  whoami(token: string): Promise<unknown>;
  /** The first answer that `fits`, after what works in the background has had its turns. */
  settled(path: string, fits: (answer: { code: number; body: Body }) => boolean): Promise<Body>;
}

async function startSubject(t: TestContext): Promise<Subject> {
  const clock = new ClockFake(start);
  const cluster = openEmbeddedCluster({
    file: ":memory:",
    clock,
    ids: systemIds,
    log: silentLog,
    signingKey,
    authority,
  });
  const app = fastify({ forceCloseConnections: true });
  const access = {
    authenticate: (header: string | undefined) =>
      Promise.resolve(header === "Bearer admin" ? { name: "admin", scopes: ["admin"] } : undefined),
  };
  const logs = { logs: () => Promise.reject(new Error("no logs here")) };
  const streams = noStreams;
  const options = {
    cluster,
    access,
    logs,
    streams,
    clock,
    log: silentLog,
    version: "0",
    url: () => "https://gate.example",
  };
  await app.register(kubeRoutes(options));
  t.after(async () => {
    await app.close();
    await cluster[Symbol.asyncDispose]();
  });
  const ask: Ask = async (path, { token = "admin", body, method } = {}) => {
    const response = await app.inject({
      method: method ?? (body === undefined ? "GET" : "POST"),
      url: path,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    return { code: response.statusCode, body: response.json<Body>() };
  };
  await ask("/api/v1/namespaces", { body: { metadata: { name: "team" } } });
  await ask("/api/v1/namespaces/team/serviceaccounts", { body: { metadata: { name: "robot" } } });
  return {
    ask,
    clock,
    async token(spec = {}) {
      const { code, body } = await ask("/api/v1/namespaces/team/serviceaccounts/robot/token", { body: { spec } });
      assert.equal(code, 201, body.message ?? "");
      return String(body.status?.["token"]);
    },
    async whoami(token) {
      const { code, body } = await ask("/apis/authentication.k8s.io/v1/selfsubjectreviews", { token, body: {} });
      return code === 201 ? body.status?.["userInfo"] : code;
    },
    async settled(path, fits) {
      for (let left = 500; left > 0; left -= 1) {
        const answer = await ask(path);
        if (fits(answer)) return answer.body;
        await new Promise((resolve) => setImmediate(resolve));
      }
      throw new Error(`${path} did not come to what was waited for`);
    },
  };
}

test("a token says who it is, whom it is for and until when, and anybody can check it with the published keys", async (t) => {
  const { ask, token, whoami } = await startSubject(t);
  const made = await token({ audiences: ["https://vault.example"], expirationSeconds: 7200 });
  const keys = (await ask("/openid/v1/jwks")).body as unknown as JSONWebKeySet;
  const { issuer, jwks_uri: uri } = (await ask("/.well-known/openid-configuration")).body as Record<string, string>;
  assert.equal(uri, "https://gate.example/openid/v1/jwks");
  const expected = { issuer: String(issuer), audience: "https://vault.example", currentDate: new Date(start) };
  const { payload } = await jwtVerify(made, createLocalJWKSet(keys), expected);
  assert.equal(payload.sub, "system:serviceaccount:team:robot");
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 7200);
  assert.equal(await whoami(made), 401, "a token for somebody else is none for this API");
  const own = await token();
  const { uid } = (await ask("/api/v1/namespaces/team/serviceaccounts/robot")).body["metadata"] as { uid: string };
  assert.deepEqual(await whoami(own), {
    username: "system:serviceaccount:team:robot",
    uid,
    groups: ["system:serviceaccounts", "system:serviceaccounts:team", "system:authenticated"],
    extra: { "authentication.kubernetes.io/credential-id": [`JTI=${decodeJwt(own).jti}`] },
  });
  const review = { spec: { token: made, audiences: ["https://vault.example", "https://other.example"] } };
  const { body } = await ask("/apis/authentication.k8s.io/v1/tokenreviews", { body: review });
  assert.deepEqual([body.status?.["authenticated"], body.status?.["audiences"]], [true, ["https://vault.example"]]);
});

test("a token ends with its time", async (t) => {
  const { token, whoami, clock, ask } = await startSubject(t);
  const made = await token({ expirationSeconds: 600 });
  await clock.advance(599_000);
  assert.notEqual(await whoami(made), 401);
  await clock.advance(1_000);
  assert.equal(await whoami(made), 401);
  const { body } = await ask("/apis/authentication.k8s.io/v1/tokenreviews", { body: { spec: { token: made } } });
  assert.deepEqual(body.status, { user: {}, error: "service account token has expired" });
});

const pod = {
  metadata: { name: "web" },
  spec: { serviceAccountName: "robot", containers: [{ name: "web", image: "web" }] },
};
const endings = [
  { name: "its pod", kind: "Pod", path: "/api/v1/namespaces/team/pods", body: pod, object: "web" },
  {
    name: "its secret",
    kind: "Secret",
    path: "/api/v1/namespaces/team/secrets",
    body: { metadata: { name: "s" } },
    object: "s",
  },
  {
    name: "its account",
    kind: undefined,
    path: "/api/v1/namespaces/team/serviceaccounts",
    body: undefined,
    object: "robot",
  },
];
for (const { name, kind, path, body, object } of endings) {
  test(`a token ends with ${name}, and does not come back with another of the same name`, async (t) => {
    const { ask, token, whoami } = await startSubject(t);
    if (body !== undefined) assert.equal((await ask(path, { body })).code, 201);
    const made = await token(kind === undefined ? {} : { boundObjectRef: { apiVersion: "v1", kind, name: object } });
    assert.notEqual(await whoami(made), 401);
    await ask(`${path}/${object}`, { method: "DELETE" });
    assert.equal(await whoami(made), 401);
    assert.equal((await ask(path, { body: body ?? { metadata: { name: object } } })).code, 201);
    assert.equal(await whoami(made), 401);
  });
}

const refusedRequests = [
  { name: "of ten seconds", spec: { expirationSeconds: 10 }, code: 422, want: /less than 10 minutes/ },
  { name: "of a time that is no number", spec: { expirationSeconds: "1h" }, code: 422, want: /must be an integer/ },
  { name: "for audiences that are no names", spec: { audiences: [1] }, code: 422, want: /list of at most/ },
  {
    name: "bound to a Deployment",
    spec: { boundObjectRef: { apiVersion: "apps/v1", kind: "Deployment", name: "x" } },
    code: 400,
    want: /cannot bind token to object of type/,
  },
  {
    name: "bound to a pod that is not there",
    spec: { boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "x" } },
    code: 404,
    want: /pods "x" not found/,
  },
  {
    name: "bound to a pod of another account",
    spec: { boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "other" } },
    code: 400,
    want: /running with different serviceaccount/,
  },
  {
    name: "bound to an object that was replaced",
    spec: { boundObjectRef: { apiVersion: "v1", kind: "Secret", name: "s", uid: "1" } },
    code: 409,
    want: /does not match the UID in record/,
  },
];
for (const { name, spec, code, want } of refusedRequests) {
  test(`no token is made ${name}`, async (t) => {
    const { ask } = await startSubject(t);
    const { serviceAccountName: _, ...rest } = pod.spec;
    await ask("/api/v1/namespaces/team/pods", { body: { metadata: { name: "other" }, spec: rest } });
    await ask("/api/v1/namespaces/team/secrets", { body: { metadata: { name: "s" } } });
    const answer = await ask("/api/v1/namespaces/team/serviceaccounts/robot/token", { body: { spec } });
    assert.equal(answer.code, code);
    assert.match(answer.body.message ?? "", want);
  });
}

test("what another key signed, or nobody, is believed by nobody", async (t) => {
  const { token, whoami } = await startSubject(t);
  const made = await token();
  const { privateKey: foreign } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const forged = await new SignJWT(decodeJwt(made)).setProtectedHeader({ alg: "ES256" }).sign(foreign);
  const [, payload = ""] = made.split(".");
  const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${payload}.`;
  const renamed = Buffer.from(JSON.stringify({ ...decodeJwt(made), sub: "system:serviceaccount:kube-system:default" }));
  const altered = made.replace(payload, renamed.toString("base64url"));
  for (const each of [forged, unsigned, altered, "a.b.c"]) assert.equal(await whoami(each), 401, each);
});

test("every namespace has its account and the authority, and gets them back", async (t) => {
  const { ask, settled } = await startSubject(t);
  const map = "/api/v1/namespaces/team/configmaps/kube-root-ca.crt";
  const account = "/api/v1/namespaces/team/serviceaccounts/default";
  assert.deepEqual((await settled(map, ({ code }) => code === 200))["data"], { "ca.crt": authority });
  const { metadata } = await settled(account, ({ code }) => code === 200);
  await ask(account, { method: "DELETE" });
  await ask(map, { method: "PUT", body: { metadata: { name: "kube-root-ca.crt" }, data: { "ca.crt": "mine" } } });
  const again = await settled(account, ({ code }) => code === 200);
  assert.notEqual((again["metadata"] as { uid: string }).uid, (metadata as { uid: string }).uid);
  await settled(map, ({ body }) => (body["data"] as Record<string, string>)["ca.crt"] === authority);
  await ask("/api/v1/namespaces/team", { method: "DELETE" });
  await settled("/api/v1/namespaces/team", ({ code }) => code === 404);
});

test("a Secret that asks for a token is filled, its token is good while the Secret has it, and it goes with its account", async (t) => {
  const { ask, settled, whoami } = await startSubject(t);
  const secrets = "/api/v1/namespaces/team/secrets";
  const type = "kubernetes.io/service-account-token";
  const without = await ask(secrets, { body: { metadata: { name: "x" }, type } });
  assert.match(without.body.message ?? "", /service-account.name\]: Required value/);
  const annotations = { "kubernetes.io/service-account.name": "robot" };
  await ask(secrets, { body: { metadata: { name: "kept", annotations }, type } });
  const filled = await settled(`${secrets}/kept`, ({ body }) => Object.hasOwn(body["data"] ?? {}, "token"));
  const data = filled["data"] as Record<string, string>;
  const made = atob(data["token"] ?? "");
  assert.deepEqual([atob(data["namespace"] ?? ""), atob(data["ca.crt"] ?? "")], ["team", authority]);
  assert.equal(((await whoami(made)) as { username: string }).username, "system:serviceaccount:team:robot");
  await ask(`${secrets}/kept`, { method: "PUT", body: { ...filled, data: { ...data, token: btoa("other") } } });
  assert.equal(await whoami(made), 401);
  await ask("/api/v1/namespaces/team/serviceaccounts/robot", { method: "DELETE" });
  await settled(`${secrets}/kept`, ({ code }) => code === 404);
});
