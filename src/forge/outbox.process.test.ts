/** Statuses on their way out, in a real database: sent in the end, once each, and the newest word only. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { openDatabase, silentLog, systemIds } from "#lib";
import { ClockFake } from "#lib/testing";
import { ForgeError } from "./errors.ts";
import { Outbox, type OutgoingStatus, type StatusPort } from "./outbox.ts";
import { openTables } from "./schema.ts";

function status(state: OutgoingStatus["state"], sha = "a".repeat(40)): OutgoingStatus {
  return { repositoryId: "shop", sha, context: "Check", state, description: "", targetUrl: "http://127.0.0.1/" };
}

/** A remote that fails as often as it is told to. */
class RemoteFake implements StatusPort {
  readonly taken: OutgoingStatus[] = [];
  failures = 0;
  tries = 0;
  /** The letter of commits that it does not want. */
  refused = "";

  async send(sent: OutgoingStatus): Promise<void> {
    await setImmediate();
    this.tries += 1;
    if (this.failures-- > 0) throw new Error("it answered 502");
    if (sent.sha.charAt(0) === this.refused) throw new ForgeError("forge/refused", "it answered 422");
    this.taken.push(sent);
  }
}

async function settled(condition: () => boolean): Promise<void> {
  const deadline = AbortSignal.timeout(60_000);
  while (!condition()) {
    deadline.throwIfAborted();
    await setImmediate();
  }
}

test("a status is sent again until it is taken, also by the next process, and a newer one takes its place", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "tidegate-outbox-"));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const database = openDatabase(join(folder, "tidegate.db"));
  stack.defer(() => database.destroy());
  const clock = new ClockFake();
  const parts = { db: await openTables(database), clock, ids: systemIds, log: silentLog };
  const remote = new RemoteFake();

  const first = new Outbox(parts);
  const end = new AbortController();
  const running = first.run(remote, end.signal);
  remote.failures = 2;
  await first.put("run 1 pending", status("pending"));
  await settled(() => remote.tries === 1 && clock.sleepers === 1);
  assert.match((await first.waiting("shop"))[0]?.problem ?? "", /502/);
  await clock.advance(1000);
  assert.equal(remote.tries, 1);
  await clock.advance(5000);
  await settled(() => remote.tries === 2 && clock.sleepers === 1);
  await first.put("run 1 success", status("success"));
  await settled(() => remote.taken.length === 1);
  end.abort();
  await running;

  await first.put("run 2 pending", status("pending", "b".repeat(40)));
  const second = new Outbox(parts);
  const endSecond = new AbortController();
  const runningSecond = second.run(remote, endSecond.signal);
  await settled(() => remote.taken.length === 2);
  // Told twice, as after a crash: known already.
  await second.put("run 1 success", status("success"));
  await second.put("run 2 failure", status("failure", "b".repeat(40)));
  await settled(() => remote.taken.length === 3);
  endSecond.abort();
  await runningSecond;
  assert.deepEqual(
    remote.taken.map(({ sha, state }) => `${sha.charAt(0)} ${state}`),
    ["a success", "b pending", "b failure"],
  );
  assert.deepEqual(await second.waiting("shop"), []);
});

test("a remote that is away is asked for one status only, and gets all of them in order when it is back", async () => {
  await using stack = new AsyncDisposableStack();
  const { outbox, remote, clock } = await openOutbox(stack);
  remote.failures = 1;
  for (const sha of ["a", "b", "c"]) await outbox.put(sha, status("success", sha.repeat(40)));
  run(outbox, remote, stack);
  await settled(() => remote.tries === 1 && clock.sleepers === 1);
  await clock.advance(3000);
  await settled(() => remote.taken.length === 3);
  assert.equal(remote.tries, 4);
  assert.deepEqual(
    remote.taken.map(({ sha }) => sha.charAt(0)),
    ["a", "b", "c"],
  );
});

test("a sign of life of the remote ends the waiting", async () => {
  await using stack = new AsyncDisposableStack();
  const { outbox, remote, clock } = await openOutbox(stack);
  remote.failures = 1;
  await outbox.put("a", status("success"));
  run(outbox, remote, stack);
  await settled(() => remote.tries === 1 && clock.sleepers === 1);
  await outbox.hurry("shop");
  await settled(() => remote.taken.length === 1);
});

test("a status that is refused holds up no other, and is given up after a day", async () => {
  await using stack = new AsyncDisposableStack();
  const { outbox, remote, clock } = await openOutbox(stack);
  remote.refused = "a";
  await outbox.put("a", status("success"));
  await outbox.put("b", status("success", "b".repeat(40)));
  run(outbox, remote, stack);
  await settled(() => remote.taken.length === 1);
  assert.equal((await outbox.waiting("shop")).length, 1);
  let hours = 0;
  while ((await outbox.waiting("shop")).length > 0) {
    assert.ok(hours < 40);
    await setImmediate();
    if (clock.sleepers === 0) continue;
    await clock.advance(3_600_000);
    hours += 1;
  }
  assert.ok(hours > 24);
  assert.equal(remote.taken.length, 1);
});

async function openOutbox(
  stack: AsyncDisposableStack,
): Promise<{ readonly outbox: Outbox; readonly remote: RemoteFake; readonly clock: ClockFake }> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-outbox-"));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const database = openDatabase(join(folder, "tidegate.db"));
  stack.defer(() => database.destroy());
  const clock = new ClockFake();
  const outbox = new Outbox({ db: await openTables(database), clock, ids: systemIds, log: silentLog });
  return { outbox, remote: new RemoteFake(), clock };
}

/** Until the stack goes. */
function run(outbox: Outbox, remote: RemoteFake, stack: AsyncDisposableStack): void {
  const end = new AbortController();
  const running = outbox.run(remote, end.signal);
  stack.defer(async () => {
    end.abort();
    await running;
  });
}
