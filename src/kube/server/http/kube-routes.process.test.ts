import assert from "node:assert/strict";
import { test } from "node:test";
import { reader, startFace, token } from "./testing.ts";

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

test("a body over the limit is refused as too large", async (t) => {
  const app = await startFace(t);
  const payload = JSON.stringify({ metadata: { name: "big" }, data: { a: "x".repeat(3 * 1024 * 1024) } });
  const answer = await app.inject({
    method: "POST",
    url: `/kube/api/v1/namespaces/default/configmaps`,
    headers,
    payload,
  });
  assert.equal(answer.statusCode, 413);
  assert.equal(answer.json<{ reason: string }>().reason, "RequestEntityTooLarge");
});
