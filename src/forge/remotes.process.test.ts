/** What webhooks ask for, in a real database: in order, until it is done, and no repository waits for another. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openDatabase } from "#lib";
import { ClockFake } from "#lib/testing";
import { Remotes } from "./remotes.ts";
import { openTables } from "./schema.ts";

async function openRemotes(stack: AsyncDisposableStack): Promise<{
  readonly remotes: Remotes;
  readonly clock: ClockFake;
  take(repository: string, id: string): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-remotes-"));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const database = openDatabase(join(folder, "tidegate.db"));
  stack.defer(() => database.destroy());
  const clock = new ClockFake();
  const remotes = new Remotes(await openTables(database), clock, { random: () => 0 });
  const take = async (repository: string, id: string): Promise<void> => {
    await remotes.take(repository, { id, event: "push" }, "{}");
    await clock.advance(1);
  };
  return { remotes, clock, take };
}

test("a later word never overtakes an earlier one, and another repository does not wait for either", async () => {
  await using stack = new AsyncDisposableStack();
  const { remotes, clock, take } = await openRemotes(stack);
  await take("shop", "1");
  await take("shop", "2");
  await take("site", "3");
  const first = await remotes.next([]);
  assert.equal(first?.id, "1");
  assert.equal((await remotes.next(["shop"]))?.id, "3");
  assert.equal(await remotes.next(["shop", "site"]), undefined);
  assert.equal(await remotes.settle(first, "away", "connection refused"), false);
  assert.equal((await remotes.next([]))?.id, "3");
  // Its turn comes, not that of the one behind it.
  const waiting = await remotes.next(["site"]);
  assert.deepEqual([waiting?.id, waiting?.tries], ["1", 1]);
  assert.ok((waiting?.due_at ?? 0) > clock.now().epochMilliseconds);
  await remotes.hurry("shop");
  assert.equal((await remotes.next(["site"]))?.due_at, 0);
});

test("a remote that is away is waited for over a day, and one that has not what is asked for two minutes", async () => {
  await using stack = new AsyncDisposableStack();
  const { remotes, clock, take } = await openRemotes(stack);
  for (const [end, least, most] of [
    ["away", 24 * 3600, 30 * 3600],
    ["failed", 30, 180],
  ] as const) {
    await take("shop", end);
    const begun = clock.now().epochMilliseconds;
    for (;;) {
      const row = await remotes.next([]);
      assert.ok(row !== undefined);
      await clock.advance(Math.max(0, row.due_at - clock.now().epochMilliseconds));
      if (await remotes.settle(row, end, "no")) break;
    }
    const seconds = (clock.now().epochMilliseconds - begun) / 1000;
    assert.ok(seconds > least && seconds < most, `${end}: ${seconds}`);
    assert.equal(await remotes.next([]), undefined);
  }
});

test("a look at a remote waits once", async () => {
  await using stack = new AsyncDisposableStack();
  const { remotes, clock } = await openRemotes(stack);
  assert.equal(await remotes.look("shop"), true);
  await clock.advance(3_600_000);
  assert.equal(await remotes.look("shop"), false);
  const row = await remotes.next([]);
  assert.ok(row !== undefined);
  await remotes.settle(row, "done", "0 refs moved");
  assert.equal(await remotes.look("shop"), true);
});

test("a delivery counts once, by its number and what it says, and again only when it was given up", async () => {
  await using stack = new AsyncDisposableStack();
  const { remotes } = await openRemotes(stack);
  const take = async (id: string, event: string, body: string): Promise<boolean> =>
    await remotes.take("shop", { id, event }, body);
  assert.equal(await take("1", "pull_request", '{"number":1}'), true);
  assert.equal(await take("1", "pull_request", '{"number":1}'), false);
  // Whoever caught it on its way may give it another number, which nobody signed.
  assert.equal(await take("2", "pull_request", '{"number":1}'), false);
  assert.equal(await take("3", "pull_request", '{"number":2}'), true);
  assert.equal(await take("4", "push", "{}"), true);
  assert.equal(await take("5", "push", "{}"), true);
  assert.equal(await remotes.take("site", { id: "1", event: "pull_request" }, '{"number":1}'), true);
  // All of one millisecond, in the order they came; what cannot be done is told again, and goes behind the others.
  const done: string[] = [];
  for (let row = await remotes.next(["site"]); row !== undefined; row = await remotes.next(["site"])) {
    done.push(row.id);
    if (row.id !== "3") await remotes.settle(row, "done", "1 run");
    else while (!(await remotes.settle({ ...row, tries: 5 }, "failed", "no such commit"))) {}
  }
  assert.deepEqual(done, ["1", "3", "4", "5"]);
  assert.equal(await take("1", "pull_request", '{"number":1}'), false);
  assert.equal(await take("3", "pull_request", '{"number":2}'), true);
  assert.deepEqual([(await remotes.next(["site"]))?.id, (await remotes.next(["site"]))?.tries], ["3", 0]);
});
