import assert from "node:assert/strict";
import { test } from "node:test";
import { openDatabase, SequenceLog, silentLog } from "#lib";
import { ClockFake } from "#lib/testing";
import { keepGoing } from "./keep-going.ts";
import { consume, Positions } from "./positions.ts";

type Row = { readonly sequence: number };

const rows: readonly Row[] = [{ sequence: 1 }, { sequence: 2 }, { sequence: 3 }];

function sourceOf(): SequenceLog<Row> {
  return new SequenceLog<Row>((after) => Promise.resolve(rows.filter(({ sequence }) => sequence > after)));
}

/** Lets time pass until `done`. */
async function advanceUntil(clock: ClockFake, done: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !done(); turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(1000);
  }
}

async function follow(handle: (row: Row) => Promise<void>, done: () => boolean): Promise<Positions> {
  const positions = await Positions.open(openDatabase(":memory:"));
  const clock = new ClockFake();
  const stop = new AbortController();
  const parts = { source: sourceOf(), positions, consumer: "c", handle, clock, log: silentLog };
  const running = consume(parts, stop.signal);
  await advanceUntil(clock, done);
  stop.abort();
  await running;
  return positions;
}

test("a row whose handling fails once is handled again before the next one", async () => {
  const handled: number[] = [];
  let failures = 2;
  const handle = (row: Row): Promise<void> => {
    if (row.sequence === 2 && failures-- > 0) return Promise.reject(new Error("database is locked"));
    handled.push(row.sequence);
    return Promise.resolve();
  };
  const positions = await follow(handle, () => handled.includes(3));
  assert.deepEqual(handled, [1, 2, 3]);
  assert.equal(await positions.get("c"), 3);
});

test("a row that cannot be handled at all is passed over in the end", async () => {
  const handled: number[] = [];
  let tries = 0;
  const handle = (row: Row): Promise<void> => {
    if (row.sequence === 2) {
      tries += 1;
      return Promise.reject(new Error("no such commit"));
    }
    handled.push(row.sequence);
    return Promise.resolve();
  };
  await follow(handle, () => handled.includes(3));
  assert.deepEqual(handled, [1, 3]);
  assert.ok(tries > 1);
});

test("a loop that fails begins again until it is told to stop", async () => {
  const clock = new ClockFake();
  const stop = new AbortController();
  let starts = 0;
  const work = (): Promise<void> => {
    starts += 1;
    return Promise.reject(new Error("database is locked"));
  };
  const running = keepGoing("c", work, { clock, log: silentLog }, stop.signal);
  await advanceUntil(clock, () => starts >= 3);
  stop.abort();
  await running;
  assert.equal(starts, 3);
});
