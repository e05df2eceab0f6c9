/** Server-side apply and ownership over HTTP, where kubectl does not get to. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { startFace, token } from "./testing.ts";

interface Owned {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
  readonly fieldsV1: object;
}

interface Answered {
  readonly code: number;
  readonly body: {
    message?: string;
    metadata: { resourceVersion: string; managedFields?: Owned[] };
    spec?: Record<string, unknown>;
    data?: Record<string, unknown>;
    [field: string]: unknown;
  };
}

type Send = (
  method: "PATCH" | "POST" | "PUT" | "GET",
  path: string,
  body?: unknown,
  type?: string,
) => Promise<Answered>;

async function start(t: TestContext): Promise<Send> {
  const app = await startFace(t);
  return async (method, path, body, type = "application/apply-patch+yaml") => {
    const answer = await app.inject({
      method,
      url: `/kube${path}`,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": type }) },
      ...(body === undefined ? {} : { payload: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return { code: answer.statusCode, body: answer.json() };
  };
}

const json = "application/json";
const merge = "application/merge-patch+json";
const web = "/apis/apps/v1/namespaces/default/deployments/web";
const config = "/api/v1/namespaces/default/configmaps/c";

function deployment(spec: object = {}): object {
  const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: { selector: { matchLabels: { a: "b" } }, template, ...spec },
  };
}

function configMap(data: object, metadata: object = {}): object {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c", ...metadata }, data };
}

function ownersOf({ body }: Answered): string[] {
  return (body.metadata.managedFields ?? []).map(({ manager, operation, subresource, fieldsV1 }) => {
    const through = subresource === undefined ? "" : ` ${subresource}`;
    return `${manager} ${operation}${through} ${JSON.stringify(fieldsV1)}`;
  });
}

test("an apply must say who applies, and may not say who owns what", async (t) => {
  const send = await start(t);
  const anonymous = await send("PATCH", config, configMap({}));
  assert.equal(anonymous.code, 422);
  assert.match(anonymous.body.message ?? "", /fieldManager: Required value: is required for apply patch$/);
  const owning = await send("PATCH", `${config}?fieldManager=m`, configMap({}, { managedFields: [] }));
  assert.deepEqual([owning.code, owning.body.message], [400, "metadata.managedFields must be nil"]);
  const yaml = await send("PATCH", `${config}?fieldManager=m`, "apiVersion: v1\nkind: ConfigMap\ndata: {a: b}\n");
  assert.deepEqual([yaml.code, yaml.body.data], [201, { a: "b" }], "YAML, its name left to the URL");
  const stale = configMap({ a: "c" }, { resourceVersion: "1" });
  assert.equal((await send("PATCH", `${config}?fieldManager=m`, stale)).code, 409);
  assert.equal((await send("PATCH", `${web}/status?fieldManager=m`, deployment())).code, 404);
});

test("replicas are owned through scale, the status through status, each by who wrote it there", async (t) => {
  const send = await start(t);
  await send("PATCH", `${web}?fieldManager=m`, deployment({ replicas: 2 }));
  const scale = { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "web" }, spec: { replicas: 4 } };
  assert.match(
    (await send("PATCH", `${web}/scale?fieldManager=hpa`, scale)).body.message ?? "",
    /"m": \.spec\.replicas$/,
  );
  const scaled = await send("PATCH", `${web}/scale?fieldManager=hpa&force=true`, scale);
  assert.deepEqual([scaled.code, scaled.body["kind"], scaled.body.spec], [200, "Scale", { replicas: 4 }]);
  await send("PATCH", `${web}/status?fieldManager=s`, { ...deployment({ replicas: 9 }), status: { replicas: 4 } });
  await send("PATCH", `${web}/status?fieldManager=u`, { status: { readyReplicas: 1 } }, merge);
  await send("PATCH", `${web}/scale?fieldManager=v`, { spec: { replicas: 5 } }, merge);
  const after = await send("GET", web);
  assert.equal(after.body.spec?.["replicas"], 5);
  assert.deepEqual(
    ownersOf(after).filter((owner) => !owner.startsWith("m ")),
    [
      's Apply status {"f:status":{"f:replicas":{}}}',
      'u Update status {"f:status":{"f:readyReplicas":{}}}',
      'v Update scale {"f:spec":{"f:replicas":{}}}',
    ],
  );
  // m still applies what it owns; the replicas it gave up are not touched by that.
  assert.equal((await send("PATCH", `${web}?fieldManager=m`, deployment())).body.spec?.["replicas"], 5);
});

test("text of a secret is owned as it was written, so that dropping it leaves the data, as upstream has it", async (t) => {
  const send = await start(t);
  const path = "/api/v1/namespaces/default/secrets/s?fieldManager=m";
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" } };
  const created = await send("PATCH", path, { ...secret, stringData: { a: "1", b: "2" } });
  assert.deepEqual(ownersOf(created), ['m Apply {"f:stringData":{"f:a":{},"f:b":{}}}']);
  const dropped = await send("PATCH", path, { ...secret, stringData: { b: "2" } });
  assert.deepEqual(dropped.body.data, { a: "MQ==", b: "Mg==" });
});

test("entries can be edited with the object, emptied by one empty entry, and not lost by leaving them out", async (t) => {
  const send = await start(t);
  const created = await send("POST", config.replace(/\/c$/, "?fieldManager=m"), configMap({ a: "1" }), json);
  assert.deepEqual(ownersOf(created), ['m Update {"f:data":{".":{},"f:a":{}}}']);
  const kept = await send("PUT", `${config}?fieldManager=n`, configMap({ a: "1", b: "2" }), json);
  assert.deepEqual(ownersOf(kept), ['m Update {"f:data":{".":{},"f:a":{}}}', 'n Update {"f:data":{"f:b":{}}}']);
  const entry = { manager: "x", operation: "Apply", apiVersion: "v1", fieldsType: "FieldsV1" };
  const managedFields = [{ ...entry, fieldsV1: { "f:data": { "f:a": {} } } }];
  const edited = await send("PATCH", `${config}?fieldManager=n`, { metadata: { managedFields } }, merge);
  assert.deepEqual(ownersOf(edited), ['x Apply {"f:data":{"f:a":{}}}']);
  const dropped = await send("PATCH", `${config}?fieldManager=x`, configMap({ c: "3" }));
  assert.deepEqual(dropped.body.data, { b: "2", c: "3" });
  const emptied = await send("PATCH", config, { metadata: { managedFields: [{}] } }, merge);
  assert.deepEqual(ownersOf(emptied), []);
  const again = await send("PATCH", `${config}?fieldManager=y`, configMap({ d: "4" }));
  assert.deepEqual(ownersOf(again), [
    'y Apply {"f:data":{"f:d":{}}}',
    'before-first-apply Update {"f:data":{".":{},"f:b":{},"f:c":{}}}',
  ]);
});

test("a dry run applies nothing, and what it does not know it refuses or leaves out as asked", async (t) => {
  const send = await start(t);
  const dry = await send("PATCH", `${web}?fieldManager=m&dryRun=All`, deployment());
  assert.deepEqual([dry.code, (await send("GET", web)).code], [201, 404]);
  const wrong = deployment({ replicsa: 1 });
  const strict = await send("PATCH", `${web}?fieldManager=m&fieldValidation=Strict`, wrong);
  assert.match(strict.body.message ?? "", /strict decoding error: unknown field "spec\.replicsa"$/);
  const lenient = await send("PATCH", `${web}?fieldManager=m&fieldValidation=Ignore`, wrong);
  assert.doesNotMatch(JSON.stringify(lenient.body), /replicsa/);
  const twice = deployment({ template: { spec: { containers: [{ name: "c" }, { name: "c" }] } } });
  const ambiguous = await send("PATCH", `${web}?fieldManager=m`, twice);
  assert.equal(ambiguous.code, 400);
  assert.match(
    ambiguous.body.message ?? "",
    /\.spec\.template\.spec\.containers: duplicate entries for key \[name="c"\]$/,
  );
});
