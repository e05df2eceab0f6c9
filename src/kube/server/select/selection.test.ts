import assert from "node:assert/strict";
import { test } from "node:test";
import { type AnyObject, type ResourceType, secrets } from "#api";
import { isKubeError } from "../../client/kube-error.ts";
import { seenChange } from "../read/watch-events.ts";
import { builtinKind } from "../registry/served-kind.ts";
import { selectionOf } from "./selection.ts";

const kind = builtinKind({
  type: secrets as unknown as ResourceType,
  singular: "secret",
  status: false,
  generation: false,
  selectableFields: { type: (object) => String(object["type"]) },
});

function secret(labels: Record<string, string>, type = "Opaque", revision = "1"): AnyObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s", namespace: "n", labels, resourceVersion: revision },
    type,
  };
}

const labelCases: [selector: string, labels: Record<string, string>, matches: boolean][] = [
  ["a=b", { a: "b" }, true],
  ["a==b,c!=d", { a: "b", c: "d" }, false],
  ["c!=d", {}, true],
  ["a in (x, b),z notin (q)", { a: "b" }, true],
  ["a notin (b)", { a: "b" }, false],
  ["a", { a: "" }, true],
  ["!a", { a: "" }, false],
  ["app.kubernetes.io/name=web", { "app.kubernetes.io/name": "web" }, true],
  ["a=", { a: "" }, true],
  ["", { a: "b" }, true],
];
for (const [labelSelector, labels, matches] of labelCases) {
  test(`labels ${JSON.stringify(labels)} ${matches ? "match" : "do not match"} "${labelSelector}"`, () => {
    assert.equal(selectionOf(kind, { labelSelector }).matches(secret(labels)), matches);
  });
}

for (const query of [
  { labelSelector: "a in b" },
  { labelSelector: "a in (b" },
  { labelSelector: "=b" },
  { labelSelector: "a b" },
  { fieldSelector: "spec.x=1" },
  { fieldSelector: "type" },
  { fieldSelector: "constructor=1" },
]) {
  test(`${JSON.stringify(query)} is a bad request`, () => {
    assert.throws(
      () => selectionOf(kind, query),
      (error) => isKubeError(error, "BadRequest"),
    );
  });
}

test("field selectors compare the kind's own fields and metadata", () => {
  const selection = selectionOf(kind, { fieldSelector: "type=Opaque,metadata.name!=other" });
  assert.equal(selection.matches(secret({})), true);
  assert.equal(selection.matches(secret({}, "other")), false);
});

test("an object that comes to match is ADDED to a watcher, one that no longer does is DELETED with the new version", () => {
  const selection = selectionOf(kind, { labelSelector: "a=b" });
  const key = { resource: "secrets", namespace: "n", name: "s" };
  const matching = secret({ a: "b" }, "Opaque", "1");
  const other = secret({}, "Opaque", "2");
  const entering = seenChange({ type: "MODIFIED", revision: 2, key, previous: other, object: matching }, selection);
  assert.deepEqual(entering, { type: "ADDED", object: matching });
  const leaving = seenChange({ type: "MODIFIED", revision: 2, key, previous: matching, object: other }, selection);
  assert.equal(leaving?.type, "DELETED");
  assert.equal(leaving?.object.metadata.resourceVersion, "2");
  assert.deepEqual(leaving?.object.metadata.labels, { a: "b" });
  assert.equal(
    seenChange({ type: "MODIFIED", revision: 2, key, previous: other, object: other }, selection),
    undefined,
  );
});
