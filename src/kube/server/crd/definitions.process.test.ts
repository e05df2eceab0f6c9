/** CRDs over HTTP: what their schemas may say, their rules, their versions and their names. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { startFace, token } from "../http/testing.ts";

interface Reply {
  readonly code: number;
  readonly warning: string;
  readonly body: {
    readonly message?: string;
    readonly spec?: Record<string, unknown>;
    readonly apiVersion?: string;
    readonly status?: {
      readonly storedVersions?: readonly string[];
      readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
    };
  };
}

type Send = (method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown) => Promise<Reply>;

async function start(t: TestContext): Promise<Send> {
  const app = await startFace(t);
  return async (method, path, body) => {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const headers = { authorization: `Bearer ${token}`, "content-type": type };
    const payload = body === undefined ? {} : { payload: JSON.stringify(body) };
    const answer = await app.inject({ method, url: `/kube${path}`, headers, ...payload });
    return { code: answer.statusCode, warning: String(answer.headers["warning"] ?? ""), body: answer.json() };
  };
}

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const widgets = (version = "v1"): string => `/apis/example.com/${version}/namespaces/default/widgets`;

function schemaOf(properties: unknown, more: object = {}): object {
  return { type: "object", properties: { spec: { type: "object", properties, ...more } } };
}

function definition(schema: object, { plural = "widgets", kind = "Widget", versions = [{}] as object[] } = {}): object {
  return {
    metadata: { name: `${plural}.example.com` },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural, kind },
      versions: versions.map((version) => ({
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: schema },
        ...version,
      })),
    },
  };
}

/** Until the CRD says whether its names are accepted. */
async function settled(send: Send, name = "widgets.example.com"): Promise<NonNullable<Reply["body"]["status"]>> {
  for (;;) {
    const { status } = (await send("GET", `${definitions}/${name}`)).body;
    if (status?.conditions !== undefined) return status;
    await sleep(5);
  }
}

const unstructured: readonly (readonly [name: string, schema: object, why: RegExp])[] = [
  ["a root without type", { properties: {} }, /openAPIV3Schema.type: Required value: must not be empty at the root/],
  [
    "a field without type",
    schemaOf({ a: {} }),
    /properties\[a\].type: Required value: must not be empty for specified/,
  ],
  [
    "a list without items",
    schemaOf({ a: { type: "array" } }),
    /properties\[a\].items: Required value: must be specified/,
  ],
  ["a reference", schemaOf({ a: { type: "string", $ref: "#/x" } }), /\$ref: Forbidden/],
  [
    "fields beside all others",
    schemaOf({
      a: { type: "object", properties: { b: { type: "string" } }, additionalProperties: { type: "string" } },
    }),
    /mutual exclusive/,
  ],
  ["a default that does not fit", schemaOf({ a: { type: "integer", default: "x" } }), /default: Invalid value: "x"/],
  [
    "keys that are no fields",
    schemaOf({
      a: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        items: { type: "object", properties: {} },
      },
    }),
    /entries must all be names of item properties/,
  ],
  [
    "a rule that cannot be read",
    schemaOf({ a: { type: "string", "x-kubernetes-validations": [{ rule: "self ++" }] } }),
    /x-kubernetes-validations\[0\].rule: Invalid value: "self \+\+": compilation failed/,
  ],
];
test("a schema objects cannot be pruned and owned by is refused with its place", async (t) => {
  const send = await start(t);
  for (const [name, schema, why] of unstructured) {
    const { code, body } = await send("POST", definitions, definition(schema));
    assert.equal(code, 422, name);
    assert.match(body.message ?? "", why, name);
  }
});

const fixed = { type: "string", "x-kubernetes-validations": [{ rule: "self == oldSelf", message: "is fixed" }] };
const ruled = schemaOf(
  {
    replicas: { type: "integer", default: 3 },
    max: { type: "integer" },
    name: fixed,
    mode: { type: "string" },
    word: { type: "string", "x-kubernetes-validations": [{ rule: "self.matches('^(a+)+$')" }] },
    strange: { type: "string", "x-kubernetes-validations": [{ rule: "quantity(self).isInteger()" }] },
    list: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["k"],
      items: { type: "object", properties: { k: { type: "string" } } },
    },
  },
  {
    "x-kubernetes-validations": [
      { rule: "!has(self.max) || self.replicas <= self.max", message: "too many" },
      { rule: "!has(self.mode) || self.mode != 'b'", messageExpression: "'no b for ' + self.name" },
    ],
  },
);
const refusedSpecs: readonly (readonly [spec: object, why: RegExp])[] = [
  [{ name: "a", replicas: 5, max: 4 }, /spec: Invalid value: "object": too many$/],
  [{ name: "a", mode: "b" }, /spec: Invalid value: "object": no b for a$/],
  [{ name: "a", word: `${"a".repeat(5000)}!` }, /spec.word: Invalid value: "string": failed rule: self.matches/],
  [{ name: "a", list: [{ k: "x" }, { k: "x" }] }, /spec.list\[1\]: Duplicate value/],
];
test("rules of a CRD are held, those about a change once there is a past, and an unknown function is told of", async (t) => {
  const send = await start(t);
  await send("POST", definitions, definition(ruled));
  await settled(send);
  const widget = (spec: object): object => ({ metadata: { name: "w" }, spec });
  for (const [spec, why] of refusedSpecs) {
    const { code, body } = await send("POST", widgets(), widget(spec));
    assert.equal(code, 422, JSON.stringify(spec).slice(0, 100));
    assert.match(body.message ?? "", why);
  }
  const made = await send("POST", widgets(), widget({ name: "a", strange: "1" }));
  assert.equal(made.code, 201);
  assert.match(made.warning, /uses what is not known here and is not enforced/);
  const renamed = await send("PATCH", `${widgets()}/w`, { spec: { name: "b" } });
  assert.match(renamed.body.message ?? "", /spec.name: Invalid value: "string": is fixed/);
});

test("each version has its own schema, a deprecated one warns, and what was stored stays named", async (t) => {
  const send = await start(t);
  const schema = { openAPIV3Schema: schemaOf({ a: { type: "string" }, b: { type: "string", default: "new" } }) };
  const versions = [{}, { name: "v2", storage: false, deprecated: true, schema }];
  const made = definition(schemaOf({ a: { type: "string" } }), { versions });
  await send("POST", definitions, made);
  assert.deepEqual((await settled(send)).storedVersions, ["v1"]);
  await send("POST", widgets(), { metadata: { name: "w" }, spec: { a: "1", b: "2" } });
  const read = await send("GET", `${widgets("v2")}/w`);
  assert.deepEqual([read.body.apiVersion, read.body.spec], ["example.com/v2", { a: "1" }]);
  assert.match(read.warning, /example.com\/v2 Widget is deprecated/);
  const moved = versions.map((version, index) => ({ ...version, storage: index === 1 }));
  const change = definition(schemaOf({ a: { type: "string" } }), { versions: moved }) as { spec: object };
  const after = await send("PATCH", `${definitions}/widgets.example.com`, { spec: change.spec });
  assert.deepEqual(after.body.status?.storedVersions, ["v1", "v2"]);
  const only = definition(schemaOf({}), { versions: [{ name: "v2", schema }] }) as { spec: object };
  const dropped = await send("PATCH", `${definitions}/widgets.example.com`, { spec: only.spec });
  assert.match(
    dropped.body.message ?? "",
    /status.storedVersions\[0\]: Invalid value: "v1": missing from spec.versions/,
  );
});

test("the second CRD of a kind is told whose name it is, and gets it when the first one goes", async (t) => {
  const send = await start(t);
  await send("POST", definitions, definition(schemaOf({})));
  await settled(send);
  await send("POST", definitions, definition(schemaOf({}), { plural: "gadgets", kind: "Widget" }));
  const refused = await settled(send, "gadgets.example.com");
  assert.deepEqual(
    refused.conditions?.map(({ type, status, reason }) => [type, status, reason]),
    [
      ["NamesAccepted", "False", "SingularConflict"],
      ["Established", "False", "NotAccepted"],
    ],
  );
  assert.equal((await send("GET", widgets().replace("widgets", "gadgets"))).code, 404);
  await send("DELETE", `${definitions}/widgets.example.com`);
  for (;;) {
    const { conditions } = await settled(send, "gadgets.example.com");
    if (conditions?.[1]?.status === "True") break;
    await sleep(5);
  }
  assert.equal((await send("GET", widgets().replace("widgets", "gadgets"))).code, 200);
});
