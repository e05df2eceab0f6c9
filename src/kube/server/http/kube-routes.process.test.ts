import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import fastify, { type FastifyInstance } from "fastify";
import fc from "fast-check";
import type { AccessPort } from "#api";
import { runCommand, silentLog, systemClock, systemIds } from "#lib";
import { openEmbeddedCluster } from "../../client/embedded-cluster.ts";
import { kubeRoutes } from "./kube-routes.ts";

const token = "test-token";
const reader = "reader-token";

const access: AccessPort = {
  authenticate(authorization) {
    const basic = /^Basic (.+)$/.exec(authorization ?? "")?.[1];
    const given = basic === undefined ? authorization?.replace(/^Bearer /, "") : atob(basic).split(":")[1];
    if (given === token) return Promise.resolve({ name: "admin", scopes: ["admin"] });
    if (given === reader) return Promise.resolve({ name: "reader", scopes: ["kube:read"] });
    return Promise.resolve(undefined);
  },
};

async function startFace(t: TestContext): Promise<FastifyInstance> {
  const cluster = openEmbeddedCluster({ file: ":memory:", clock: systemClock, ids: systemIds, log: silentLog });
  const app = fastify({ forceCloseConnections: true });
  async function* lines(container: string | undefined): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`hello from ${container}\n`);
    await Promise.resolve();
  }
  const logs = { logs: (_pod: unknown, options: { container?: string }) => Promise.resolve(lines(options.container)) };
  await app.register(kubeRoutes({ cluster, access, logs, clock: systemClock, log: silentLog, version: "0" }), {
    prefix: "/kube",
  });
  t.after(async () => {
    await app.close();
    await cluster[Symbol.asyncDispose]();
  });
  return app;
}

type Kubectl = (args: readonly string[], stdin?: string) => Promise<string>;

/** Undefined, with the reason printed, where there is no kubectl; CI must have one. */
async function startKubectl(t: TestContext): Promise<Kubectl | undefined> {
  if (spawnSync("kubectl", ["version", "--client"]).status !== 0) {
    assert.equal(process.env["CI"], undefined, "CI must have kubectl");
    t.skip("kubectl is not on the PATH");
    return undefined;
  }
  const app = await startFace(t);
  const address = new URL(await app.listen({ port: 0, host: "127.0.0.1" }));
  const folder = await mkdtemp(join(tmpdir(), "tidegate-kubectl-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, "config");
  // kubectl sends no bearer token over plain HTTP; credentials in the URL it does send.
  const server = `http://tidegate:${token}@${address.host}/kube`;
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "t", cluster: { server } }],
    contexts: [{ name: "t", context: { cluster: "t", user: "t" } }],
    users: [{ name: "t", user: {} }],
    "current-context": "t",
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  return async (args, stdin) => {
    const result = await runCommand("kubectl", ["--cache-dir", join(folder, "cache"), ...args], {
      signal: AbortSignal.timeout(30_000),
      env: { PATH: process.env["PATH"] ?? "", HOME: folder, KUBECONFIG: kubeconfig },
      ...(stdin === undefined ? {} : { input: stdin }),
    });
    return `${result.stdout.toString()}${result.stderr}`.trim();
  };
}

const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "web:1", ports: [{containerPort: 80}]}
      - {name: side, image: "side:1"}
`;

test("kubectl applies, diffs, changes, shows, waits for and deletes", async (t) => {
  const kubectl = await startKubectl(t);
  if (kubectl === undefined) return;
  const expectations: [args: string, stdin: string | undefined, want: RegExp][] = [
    ["apply -f -", manifest, /^deployment.apps\/web created$/],
    ["apply -f -", manifest, /^deployment.apps\/web unchanged$/],
    ["diff -f -", manifest.replace("web:1", "web:2"), /^-\s+(?:- )?image: web:1\n\+\s+(?:- )?image: web:2$/m],
    ["apply -f -", manifest.replace(/\n.*side.*/, ""), /configured$/],
    ["get deploy web -o jsonpath={.spec.template.spec.containers[*].name}", undefined, /^web$/],
    ["get deploy", undefined, /^NAME\s+READY\s+UP-TO-DATE\s+AVAILABLE\s+AGE\nweb\s+0\/2/],
    ["get deploy web -o yaml", undefined, /^apiVersion: apps\/v1$/m],
    ["describe deploy web", undefined, /^Replicas:\s+2 desired/m],
    ["scale deploy web --replicas=3", undefined, /scaled$/],
    ["wait --for=jsonpath={.spec.replicas}=3 deploy/web", undefined, /condition met$/],
    ['patch deploy web -p {"spec":{"replicas":4}}', undefined, /patched$/],
    ["label deploy web tier=front", undefined, /labeled$/],
    ["annotate deploy web note=x", undefined, /annotated$/],
    ["get deploy -l tier=front -o name", undefined, /^deployment.apps\/web$/],
    ["rollout status deploy web --timeout=1s", undefined, /Waiting for deployment/],
    ["create namespace shop", undefined, /created$/],
    ["create configmap c -n shop --from-literal=a=b", undefined, /created$/],
    ["create secret generic s -n shop --from-literal=a=b", undefined, /created$/],
    ["get secret s -n shop -o jsonpath={.data.a}", undefined, /^Yg==$/],
    ["create deployment other --image=x --replicas=0", undefined, /created$/],
    ["get deploy other -o jsonpath={.spec.replicas}", undefined, /^0$/],
    ["run p --image=x", undefined, /created$/],
    ["logs p", undefined, /^hello from p$/],
    ["auth can-i create pods", undefined, /^yes$/],
    ["explain deploy.spec.strategy", undefined, /RollingUpdateDeployment/],
    ["api-resources", undefined, /trafficsplits/],
    ["delete pod p", undefined, /deleted/],
    ["delete ns shop", undefined, /deleted/],
    ["get cm -n shop", undefined, /No resources found/],
    ["delete deploy web other --cascade=foreground", undefined, /deleted/],
    ["get deploy web", undefined, /deployments.apps "web" not found/],
    ["apply -f -", manifest.replace("replicas", "replica"), /strict decoding error: unknown field "spec.replica"/],
    [
      "apply -f -",
      "{apiVersion: x.y/v1, kind: Z, metadata: {name: a}}",
      /no matches for kind "Z" in version "x.y\/v1"/,
    ],
  ];
  for (const [args, stdin, want] of expectations) {
    assert.match(await kubectl(args.split(" "), stdin), want, `kubectl ${args}`);
  }
});

test("kubectl get -w shows a change as it happens", async (t) => {
  const kubectl = await startKubectl(t);
  if (kubectl === undefined) return;
  await kubectl(["apply", "-f", "-"], manifest);
  const watching = kubectl(["get", "deploy", "web", "-w", "--request-timeout=3s"]);
  await kubectl(["scale", "deploy", "web", "--replicas=7"]);
  assert.match(await watching, /0\/7/);
});

test("without a token nothing but health is answered, and a reader may not write", async (t) => {
  const app = await startFace(t);
  const health = await app.inject({ url: "/kube/readyz" });
  assert.deepEqual([health.statusCode, health.body], [200, "ok"]);
  for (const url of ["/kube/version", "/kube/api", "/kube/api/v1/pods", "/kube/openapi/v3", "/kube/nothing"]) {
    const answer = await app.inject({ url });
    assert.equal(answer.statusCode, 401, url);
    assert.equal(answer.json<{ kind: string }>().kind, "Status");
  }
  const headers = { authorization: `Bearer ${reader}` };
  assert.equal((await app.inject({ url: "/kube/api/v1/pods", headers })).statusCode, 200);
  const refused = await app.inject({ method: "DELETE", url: "/kube/api/v1/namespaces/default/pods/x", headers });
  assert.equal(refused.statusCode, 403);
  assert.match(refused.json<{ message: string }>().message, /User "reader" cannot delete resource "pods"/);
});

const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };

test("pages of one list show one moment, whatever is written between them", async (t) => {
  const app = await startFace(t);
  const url = "/kube/api/v1/namespaces/default/configmaps";
  for (const name of ["a", "b", "c", "d", "e"]) {
    await app.inject({ method: "POST", url, headers, payload: JSON.stringify({ metadata: { name } }) });
  }
  interface Page {
    items: { metadata: { name: string } }[];
    metadata: { continue?: string; remainingItemCount?: number; resourceVersion: string };
  }
  const first = (await app.inject({ url: `${url}?limit=2`, headers })).json<Page>();
  assert.equal(first.metadata.remainingItemCount, 3);
  await app.inject({ method: "DELETE", url: `${url}/d`, headers });
  await app.inject({ method: "POST", url, headers, payload: JSON.stringify({ metadata: { name: "cc" } }) });
  const rest = (await app.inject({ url: `${url}?limit=9&continue=${first.metadata.continue}`, headers })).json<Page>();
  const names = [...first.items, ...rest.items].map(({ metadata }) => metadata.name);
  assert.deepEqual(names, ["a", "b", "c", "d", "e"]);
  assert.equal(rest.metadata.resourceVersion, first.metadata.resourceVersion);
});

test("a watch list ends its initial events with the annotated bookmark and then goes on", async (t) => {
  const app = await startFace(t);
  const address = await app.listen({ port: 0, host: "127.0.0.1" });
  const url = `${address}/kube/api/v1/namespaces/default/configmaps`;
  const query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  await fetch(url, { method: "POST", headers, body: JSON.stringify({ metadata: { name: "a" } }) });
  const stop = new AbortController();
  const response = await fetch(`${url}?${query}`, { headers, signal: stop.signal });
  const events = linesOf(response);
  const added = await nextEvent(events);
  const bookmark = await nextEvent(events);
  await fetch(url, { method: "POST", headers, body: JSON.stringify({ metadata: { name: "b" } }) });
  const live = await nextEvent(events);
  stop.abort();
  assert.deepEqual([added.type, added.object.metadata.name], ["ADDED", "a"]);
  assert.deepEqual(bookmark.object.metadata.annotations, { "k8s.io/initial-events-end": "true" });
  assert.equal(bookmark.object.metadata.resourceVersion, added.object.metadata.resourceVersion);
  assert.deepEqual([live.type, live.object.metadata.name], ["ADDED", "b"]);
});

interface WireEvent {
  type: string;
  object: { metadata: { name: string; resourceVersion: string; annotations?: Record<string, string> } };
}

async function* linesOf(response: Response): AsyncGenerator<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
    }
  }
}

async function nextEvent(events: AsyncGenerator<string>): Promise<WireEvent> {
  const { value } = await events.next();
  return JSON.parse(String(value)) as WireEvent;
}

const places = [
  "/api/v1/namespaces/default/configmaps",
  "/api/v1/namespaces/default/pods",
  "/apis/apps/v1/namespaces/default/deployments",
  "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts",
  "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
  "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
];
const contentTypes = [
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/json-patch+json",
  "application/apply-patch+yaml",
  "application/cbor",
];
const field = fc.constantFrom(
  "apiVersion",
  "kind",
  "metadata",
  "spec",
  "status",
  "data",
  "name",
  "labels",
  "template",
  "containers",
  "op",
  "path",
  "value",
  "$patch",
  "__proto__",
);
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<unknown>(null, 0, -1, 1e300, "", "x", true, "default", "v1"),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(field, tie("value"), { maxKeys: 5 }),
  ),
}));
const body = fc.oneof(
  anyValue.map((value) => Buffer.from(JSON.stringify(value))),
  fc
    .record({ metadata: fc.constant({ name: "x" }), spec: anyValue, data: anyValue, status: anyValue })
    .map((value) => Buffer.from(JSON.stringify(value))),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.concat([Buffer.from("k8s\0"), bytes])),
  fc.constant(Buffer.from("[".repeat(20_000))),
  fc.constant(Buffer.from(`${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`)),
);

test("whatever is sent, the answer is an object or a Status, never a crash", async (t) => {
  const app = await startFace(t);
  const url = `/kube${places[0]}`;
  await app.inject({ method: "POST", url, headers, payload: JSON.stringify({ metadata: { name: "x" } }) });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...places),
      fc.constantFrom("POST", "PUT", "PATCH", "DELETE"),
      fc.constantFrom(...contentTypes),
      body,
      async (place, method, contentType, payload) => {
        const object = method === "POST" ? place : `${place}/x`;
        const answer = await app.inject({
          method: method as "POST",
          url: `/kube${object}?fieldManager=t`,
          headers: { ...headers, "content-type": contentType },
          payload,
        });
        const { kind, code } = answer.json<{ kind?: string; code?: number }>();
        assert.notEqual(answer.statusCode, 500, answer.body);
        if (answer.statusCode >= 400) assert.deepEqual([kind, code], ["Status", answer.statusCode]);
      },
    ),
    { numRuns: 2000 },
  );
  assert.equal((await app.inject({ url: "/kube/api", headers })).statusCode, 200);
});

test("a body over the limit is refused as too large", async (t) => {
  const app = await startFace(t);
  const payload = JSON.stringify({ metadata: { name: "big" }, data: { a: "x".repeat(3 * 1024 * 1024) } });
  const answer = await app.inject({ method: "POST", url: `/kube${places[0]}`, headers, payload });
  assert.equal(answer.statusCode, 413);
  assert.equal(answer.json<{ reason: string }>().reason, "RequestEntityTooLarge");
});
