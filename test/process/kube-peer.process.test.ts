/**
 * The embedded API server beside the real one: for objects of every built-in kind, made and edited in every way a client
 * can, both say the same, down to who owns which field.
 *
 * Known to differ, and kept so: a strategic merge patch tells container and service ports of one number apart by their
 * protocol, where upstream's merge key does not and so loses one of them.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KubeApi, type KubeCall, type KubeReply, startOwnApi } from "../support/kube-api.ts";
import { comparable, differences } from "../support/kube-compare.ts";
import { type Fields, objectOf, removal, withNulls } from "../support/kube-generate.ts";
import { type KindSample, namespace, samples } from "../support/kube-objects.ts";
import { propertyRuns } from "../support/property-seed.ts";
import { skipWithoutPeer, startKubePeer } from "../support/kube-peer.ts";

const skip = skipWithoutPeer();
/** What the older autoscaler owns is kept in the newer one's terms; what a revision holds, Go cannot patch. */
const unowned = new Set(["autoscalerv1", "controllerrevision"]);
const names = Object.keys(samples).filter((name) => !unowned.has(name));

function post(path: string, object: unknown, query: string): KubeCall {
  return { method: "POST", path: `${path}?${query}`, body: JSON.stringify(object) };
}

async function both(apis: readonly [KubeApi, KubeApi], call: KubeCall): Promise<[KubeReply, KubeReply]> {
  const [own, peer] = await Promise.all(apis.map((api) => api.call(call)));
  assert.ok(own !== undefined && peer !== undefined);
  return [own, peer];
}

function assertAgreement(call: KubeCall, [own, peer]: readonly [KubeReply, KubeReply]): void {
  const asked = `${call.method} ${call.path} ${call.headers?.["content-type"] ?? ""} ${String(call.body)}`;
  const said = [own, peer].map(({ code, json }) => `${code} ${String(json["message"])}`).join("\n");
  assert.equal(own.code, peer.code, `${said}\n${asked}`);
  // Which rules are broken and where is the same; what Go prints of its own types is nobody else's to print.
  if (own.code === 422) return;
  const found = differences(comparable(own.json), comparable(peer.json));
  assert.deepEqual(found, [], `${found.join("\n")}\n${asked}`);
}

function sampleOf(name: string): KindSample {
  const sample = samples[name];
  assert.ok(sample !== undefined);
  return sample;
}

const edits = ["apply", "apply", "apply", "put", "merge", "strategic", "json"] as const;
const patchTypes = {
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  json: "application/json-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

/** One edit of the object at `item`, whose kind is named in full since an apply and a PUT must say it. */
function editOf(choose: fc.GeneratorValue, item: string, object: Fields, live: Fields): KubeCall {
  const manager = choose(fc.constantFrom, "a", "b", "c");
  const how = choose(fc.constantFrom, ...edits) as (typeof edits)[number];
  const query = `fieldManager=${manager}`;
  if (how === "put") return { method: "PUT", path: `${item}?${query}`, body: JSON.stringify(object) };
  const body = how === "apply" ? object : how === "json" ? removal(choose, live) : withNulls(choose, object);
  const force = how === "apply" ? `&force=${choose(fc.boolean)}` : "";
  const headers = { "content-type": patchTypes[how] };
  return { method: "PATCH", path: `${item}?${query}${force}`, body: JSON.stringify(body), headers };
}

test("the real kube-apiserver and ours agree", { skip, timeout: 600_000 }, async (t) => {
  await using peer = await startKubePeer();
  const apis = [await startOwnApi(t), peer] as const;
  await both(apis, post("/api/v1/namespaces", { metadata: { name: namespace } }, ""));

  for (const name of names) {
    await t.test(`on a new ${name} and its defaults`, async () => {
      const property = fc.asyncProperty(fc.gen(), async (choose) => {
        const { path } = sampleOf(name);
        const call = post(path, objectOf(choose, sampleOf(name), "x"), "dryRun=All&fieldManager=m");
        assertAgreement(call, await both(apis, call));
      });
      await fc.assert(property, { numRuns: propertyRuns(12), endOnFailure: true });
    });
  }

  let count = 0;
  for (const name of names) {
    await t.test(`on a ${name} that several managers edit`, async () => {
      const { path } = sampleOf(name);
      const { kind, apiVersion } = (await peer.call({ path: `${path}?limit=1` })).json;
      const type = { apiVersion, kind: String(kind).replace(/List$/, "") };
      const property = fc.asyncProperty(fc.gen(), fc.integer({ min: 1, max: 5 }), async (choose, times) => {
        const at = `x${count++}`;
        const item = `${path}/${at}`;
        const first = post(path, { ...objectOf(choose, sampleOf(name), at), ...type }, "fieldManager=a");
        let replies = await both(apis, first);
        assertAgreement(first, replies);
        for (let i = 0; i < times && replies[0].code < 300; i++) {
          const live = (await apis[0].call({ path: item })).json;
          const call = editOf(choose, item, { ...objectOf(choose, sampleOf(name), at), ...type }, live);
          replies = await both(apis, call);
          assertAgreement(call, replies);
        }
        await both(apis, { method: "DELETE", path: `${item}?gracePeriodSeconds=0` });
      });
      await fc.assert(property, { numRuns: propertyRuns(6), endOnFailure: true });
    });
  }
});
