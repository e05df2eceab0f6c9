import assert from "node:assert/strict";
import { test } from "node:test";
import { SequenceLog, type Sequenced } from "./sequence-log.ts";

function logOver(rows: Sequenced[]): SequenceLog<Sequenced> {
  return new SequenceLog((sequence, limit) =>
    Promise.resolve(rows.filter((row) => row.sequence > sequence).slice(0, limit)),
  );
}

test("a follower sees every row once and in order, those before it came and those after", async () => {
  const rows: Sequenced[] = Array.from({ length: 250 }, (_, index) => ({ sequence: index * 2 + 1 }));
  const log = logOver(rows);
  const stop = new AbortController();
  const seen: number[] = [];
  for await (const row of log.follow(9, stop.signal)) {
    seen.push(row.sequence);
    if (row.sequence === 499) {
      rows.push({ sequence: 501 }, { sequence: 502 });
      log.notify();
    }
    if (row.sequence === 502) stop.abort();
  }
  assert.deepEqual(
    seen,
    rows.map((row) => row.sequence).filter((sequence) => sequence > 9),
  );
});

test("two followers are each woken, also one that is busy at that moment", async () => {
  const rows: Sequenced[] = [];
  const log = logOver(rows);
  const stop = AbortSignal.timeout(5000);
  const busy = log.follow(0, stop);
  const idle = log.follow(0, stop);
  const first = idle.next();
  rows.push({ sequence: 1 });
  log.notify();
  assert.equal((await first).value?.sequence, 1);
  assert.equal((await busy.next()).value?.sequence, 1);
  const both = [busy.next(), idle.next()];
  // Both are waiting now; a turn of the event loop later neither has polled.
  await new Promise((resolve) => setImmediate(resolve));
  rows.push({ sequence: 2 });
  log.notify();
  assert.deepEqual(
    (await Promise.all(both)).map((next) => next.value?.sequence),
    [2, 2],
  );
});
