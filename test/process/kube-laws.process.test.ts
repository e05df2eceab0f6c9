/** What holds of every write to every built-in kind, with no other server to compare with. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KubeApi, type KubeCall, type KubeReply, startOwnApi } from "../support/kube-api.ts";
import { type Fields, objectOf } from "../support/kube-generate.ts";
import { type KindSample, namespace, samples } from "../support/kube-objects.ts";
import { propertyRuns } from "../support/property-seed.ts";

async function ok(api: KubeApi, call: KubeCall): Promise<Fields> {
  const reply: KubeReply = await api.call(call);
  assert.ok(reply.code < 300, `${call.method} ${call.path} ${String(call.body)}\n${reply.bytes.toString()}`);
  return reply.json;
}

function metadataOf(object: Fields): Fields {
  return object["metadata"] as Fields;
}

/** An object of the sample that the server takes, under a name of its own. */
async function create(
  api: KubeApi,
  sample: KindSample,
  choose: fc.GeneratorValue,
  name: string,
): Promise<Fields | undefined> {
  const object = objectOf(choose, sample, name);
  const reply = await api.call({ method: "POST", path: sample.path, body: JSON.stringify(object) });
  return reply.code === 201 ? reply.json : undefined;
}

test("a write that says what is there already changes nothing, whichever way it comes", async (t) => {
  const api = await startOwnApi(t);
  await ok(api, {
    method: "POST",
    path: "/api/v1/namespaces",
    body: JSON.stringify({ metadata: { name: namespace } }),
  });
  let count = 0;
  for (const [kind, sample] of Object.entries(samples)) {
    const property = fc.asyncProperty(fc.gen(), async (choose) => {
      const name = `x${count++}`;
      const made = await create(api, sample, choose, name);
      fc.pre(made !== undefined);
      const item = `${sample.path}/${name}`;
      const version = metadataOf(made ?? {})["resourceVersion"];
      const { status: _status, ...asked } = objectOf(choose, sample, name);
      const config = { ...asked, apiVersion: made?.["apiVersion"], kind: made?.["kind"] };
      const body = JSON.stringify(made);
      const again: KubeCall[] = [
        { method: "PUT", path: item, body },
        { method: "PATCH", path: item, body, headers: { "content-type": "application/merge-patch+json" } },
        { method: "PATCH", path: item, body, headers: { "content-type": "application/strategic-merge-patch+json" } },
        { method: "PATCH", path: item, body: "[]", headers: { "content-type": "application/json-patch+json" } },
      ];
      for (const call of again)
        assert.equal(metadataOf(await ok(api, call))["resourceVersion"], version, `${kind}: ${call.method} ${body}`);
      const apply: KubeCall = {
        method: "PATCH",
        path: `${item}?fieldManager=applier&force=true`,
        body: JSON.stringify(config),
        headers: { "content-type": "application/apply-patch+yaml" },
      };
      const applied = await api.call(apply);
      if (applied.code !== 200) return;
      const once = applied.json;
      assert.deepEqual(await ok(api, apply), once, `${kind}: applied twice`);
    });
    await fc.assert(property, { numRuns: propertyRuns(5) });
  }
});
