import assert from "node:assert/strict";
import { test } from "node:test";
import { type AnyObject, builtinKinds, humanAge } from "#api";
import { parseJsonPath, readJsonPath } from "../crd/json-path.ts";
import { negotiate } from "../http/accept.ts";
import { parseRequestPath } from "../http/request-path.ts";
import { builtinKind, type ServedKind } from "../registry/served-kind.ts";
import { tableOf } from "./table.ts";

const now = Temporal.Instant.from("2026-01-01T01:00:00Z");

function served(plural: string): ServedKind {
  const definition = builtinKinds.find(({ type }) => type.plural === plural);
  assert.ok(definition);
  return builtinKind(definition);
}

function table(kind: ServedKind, object: unknown): { columns: string[]; cells: unknown[] } {
  const body = tableOf(kind, {
    objects: [object as AnyObject],
    now,
    metadata: {},
    includeObject: "None",
    version: "v1",
    withColumns: true,
  }) as { columnDefinitions: { name: string }[]; rows: { cells: unknown[] }[] };
  return { columns: body.columnDefinitions.map(({ name }) => name), cells: body.rows[0]?.cells ?? [] };
}

const creationTimestamp = "2026-01-01T00:57:30Z";

test("a table begins with the name and ends with the age, columns of -o wide behind it", () => {
  const secret = { metadata: { name: "s", creationTimestamp }, type: "Opaque", data: { a: "", b: "" } };
  assert.deepEqual(table(served("secrets"), secret), {
    columns: ["Name", "Type", "Data", "Age"],
    cells: ["s", "Opaque", 2, "2m30s"],
  });
  assert.equal(table(served("nodes"), { metadata: { name: "n" } }).columns.indexOf("Age"), 4);
});

test("events have columns of their own", () => {
  const event = {
    metadata: { name: "e" },
    involvedObject: { kind: "Pod", name: "p" },
    lastTimestamp: "2026-01-01T00:59:50Z",
    type: "Normal",
    reason: "Started",
    message: "started\n",
  };
  assert.deepEqual(table(served("events"), event).cells.slice(0, 4), ["10s", "Normal", "Started", "pod/p"]);
});

test("one odd object spoils only its own cell", () => {
  const slice = { metadata: { name: "s", creationTimestamp }, addressType: "IPv4" };
  assert.deepEqual(table(served("endpointslices"), slice).cells, ["s", "IPv4", "<unset>", "<error>", "2m30s"]);
});

const ages: [ms: number, text: string][] = [
  [0, "0s"],
  [119_000, "119s"],
  [150_000, "2m30s"],
  [15 * 60_000, "15m"],
  [5 * 3_600_000 + 60_000, "5h1m"],
  [10 * 3_600_000 + 60_000, "10h"],
  [76 * 3_600_000, "3d4h"],
  [12 * 86_400_000, "12d"],
  [800 * 86_400_000, "2y70d"],
  [-5000, "<invalid>"],
];
for (const [ms, text] of ages) test(`an age of ${ms} ms is shown as ${text}`, () => assert.equal(humanAge(ms), text));

const status = {
  phase: "Up",
  "a.b": 1,
  conditions: [
    { type: "Ready", status: "True" },
    { type: "Synced", status: "False" },
  ],
};
const paths: [path: string, want: unknown[] | undefined][] = [
  [".status.phase", ["Up"]],
  ["{.status.phase}", ["Up"]],
  [".status['a.b']", [1]],
  [".status.a\\.b", [1]],
  ['.status.conditions[?(@.type=="Ready")].status', ["True"]],
  [".status.conditions[1].type", ["Synced"]],
  [".status.conditions[*].type", ["Ready", "Synced"]],
  [".status.nothing.below", []],
  [".status.__proto__", []],
  ["..phase", undefined],
];
for (const [path, want] of paths) {
  test(`the column path ${path} ${want === undefined ? "is not read" : "reads its values"}`, () => {
    const parsed = parseJsonPath(path);
    assert.deepEqual(parsed === undefined ? undefined : readJsonPath(parsed, { status }), want);
  });
}

test("of the forms a client accepts the first we have is taken", () => {
  const tables =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
  assert.deepEqual(negotiate(tables, ["Table"]), { format: "json", as: "Table", version: "v1" });
  assert.deepEqual(negotiate(tables, []), { format: "json" });
  assert.deepEqual(negotiate("application/vnd.kubernetes.protobuf,application/json", []), { format: "json" });
  assert.deepEqual(negotiate("application/yaml", []), { format: "yaml" });
  assert.throws(() => negotiate("application/cbor", []), /only the following media types are accepted/);
});

test("a path below a namespace is of the resource there, except the namespace's own subresources", () => {
  const pods = parseRequestPath("/api/v1/namespaces/a%2Fb/pods/p/log");
  assert.deepEqual(pods, {
    kind: "resource",
    group: "",
    version: "v1",
    namespace: "a/b",
    plural: "pods",
    name: "p",
    subresource: "log",
  });
  const own = parseRequestPath("/api/v1/namespaces/a/status");
  assert.deepEqual(
    [own.kind, "name" in own && own.name, "subresource" in own && own.subresource],
    ["resource", "a", "status"],
  );
  for (const path of ["/api/v1/pods/%zz", "/apis", "/api/v1/a/b/c/d", "/nothing", "/"]) {
    assert.notEqual(parseRequestPath(path).kind, "resource", path);
  }
});
