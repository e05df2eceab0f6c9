import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { startFace, token } from "./testing.ts";

const headers = { authorization: `Bearer ${token}` };

const places = [
  "/api/v1/namespaces/default/configmaps",
  "/api/v1/namespaces/default/pods",
  "/apis/apps/v1/namespaces/default/deployments",
  "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts",
  "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
  "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
  "/apis/rbac.authorization.k8s.io/v1/clusterroles",
  "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
  "/apis/authorization.k8s.io/v1/subjectaccessreviews",
  "/apis/authentication.k8s.io/v1/tokenreviews",
  "/api/v1/namespaces/default/serviceaccounts/default/token",
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
  "rules",
  "verbs",
  "subjects",
  "roleRef",
  "resourceAttributes",
  "boundObjectRef",
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
    .record({
      metadata: fc.constant({ name: "x" }),
      spec: anyValue,
      data: anyValue,
      status: anyValue,
      rules: anyValue,
      roleRef: anyValue,
    })
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
    { numRuns: 2000, seed: 20_261_121 },
  );
  assert.equal((await app.inject({ url: "/kube/api", headers })).statusCode, 200);
});
