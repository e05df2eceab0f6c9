import assert from "node:assert/strict";
import { test } from "node:test";
import type { TimelineEvent } from "#api";
import { openDatabase } from "#lib";
import { Timeline } from "./timeline.ts";

function event(id: string, causes: readonly string[] = [], second = 0): TimelineEvent {
  const at = `2026-01-01T00:00:${String(second).padStart(2, "0")}.000Z`;
  return { id, kind: "push", at, subject: "acme/shop", title: id, tone: "neutral", causes, data: { n: second } };
}

test("a walk finds all causes and all effects, and nothing of a neighbour's story", async () => {
  const timeline = await Timeline.open(openDatabase(":memory:"));
  await timeline.record(event("push", [], 1));
  await timeline.record(event("run", ["push"], 2));
  await timeline.record(event("image", ["run"], 3));
  await timeline.record(event("sync", ["image"], 4));
  await timeline.record(event("other-push", [], 2));
  await timeline.record(event("other-run", ["other-push"], 3));

  const ids = async (from: string): Promise<string[] | undefined> =>
    (await timeline.trace(from))?.events.map((found) => found.id);

  assert.deepEqual(await ids("push"), ["push", "run", "image", "sync"]);
  assert.deepEqual(await ids("sync"), ["push", "run", "image", "sync"]);
  assert.deepEqual(await ids("other-run"), ["other-push", "other-run"]);
  assert.equal(await ids("nobody"), undefined);
});

test("an event may be recorded before its cause", async () => {
  const timeline = await Timeline.open(openDatabase(":memory:"));
  await timeline.record(event("run", ["push"], 2));
  await timeline.record(event("push", [], 1));
  assert.deepEqual(
    (await timeline.trace("run"))?.events.map((found) => found.id),
    ["push", "run"],
  );
});

test("recording twice is recording once, and what was recorded stays as it was", async () => {
  const timeline = await Timeline.open(openDatabase(":memory:"));
  assert.equal(await timeline.record(event("run")), true);
  assert.equal(await timeline.record(event("run", ["push"], 9)), false);
  const found = await timeline.list({ limit: 10 });
  assert.equal(found.length, 1);
  assert.deepEqual(found[0]?.causes, []);
  assert.equal(found[0]?.data["n"], 0);
});

test("circles in what was recorded end the walk", async () => {
  const timeline = await Timeline.open(openDatabase(":memory:"));
  await timeline.record(event("a", ["b"], 1));
  await timeline.record(event("b", ["a"], 2));
  assert.equal((await timeline.trace("a"))?.events.length, 2);
});

test("subscribers get new events in order", async () => {
  const timeline = await Timeline.open(openDatabase(":memory:"));
  const stop = new AbortController();
  const feed = timeline.subscribe(stop.signal);
  await timeline.record(event("a"));
  await timeline.record(event("a"));
  await timeline.record(event("b"));
  assert.equal((await feed.next()).value?.id, "a");
  assert.equal((await feed.next()).value?.id, "b");
  stop.abort();
  assert.equal((await feed.next()).done, true);
});
