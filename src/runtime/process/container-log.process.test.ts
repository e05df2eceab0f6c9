import assert from "node:assert/strict";
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { ClockFake } from "#lib/testing";
import type { LogOptions } from "../pod-runtime.ts";
import { ContainerLog } from "./container-log.ts";
import { readLog } from "./read-log.ts";

test("what was written before anybody watched has a time for those who ask by it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "container-log-"));
  await using _folder = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
  const clock = new ClockFake("2026-03-01T12:00:00Z");
  const log = new ContainerLog(folder, clock, 1_000_000, assert.ifError);
  const read = (options: Partial<LogOptions>): Promise<string> => {
    const signal = AbortSignal.timeout(10_000);
    return text(readLog(log, { follow: false, timestamps: false, ...options, signal }, () => false));
  };
  const since = clock.now().subtract({ hours: 1 });
  await appendFile(log.path, "one\ntwo\n");
  assert.equal(await read({ since }), "one\ntwo\n");
  assert.equal(await read({ since, tailLines: 1 }), "two\n");

  // Within the pause between two stamps.
  await clock.advance(10);
  await appendFile(log.path, "three\n");
  assert.equal(await read({ since: clock.now() }), "three\n");
  await clock.advance(60_000);
  await appendFile(log.path, "four\n");
  const stamped = await read({ timestamps: true, tailLines: 2 });
  assert.equal(stamped, "2026-03-01T12:00:00.010000000Z three\n2026-03-01T12:01:00.010000000Z four\n");
  assert.equal(await read({ since: clock.now().add({ seconds: 1 }) }), "");
});
