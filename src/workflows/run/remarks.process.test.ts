import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { ReviewPort } from "../ports.ts";
import { type Control, type ControlOptions, pushEvent, startControl } from "../testing.ts";

const path = ".github/workflows/ci.yml";
const text = "on: push\njobs:\n  only:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n";
const signal = AbortSignal.timeout(60_000);

const say: ReviewPort = (repository, file) =>
  Promise.resolve([{ path: "", message: `${repository} has ${file.text.length}`, severity: "warning" }]);

async function messages({ workflows }: Control, runId: string, count: number): Promise<readonly string[]> {
  for (;;) {
    const run = await workflows.getRun(runId);
    if ((run?.problems.length ?? 0) >= count) return run?.problems.map(({ message }) => message) ?? [];
    await delay(5, undefined, { signal });
  }
}

test("what there is to say of a run's file is said once the run has begun, also by the process after", async () => {
  const folder = await mkdtemp(join(tmpdir(), "remarks-"));
  await using _folder = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
  const options: ControlOptions = { folder, files: { [path]: text }, leaseMs: 10_000 };
  let runId = "";
  const asked = Promise.withResolvers<void>();
  {
    const never: ReviewPort = (_repository, _file, { signal: stop }) => {
      asked.resolve();
      return new Promise((_resolve, reject) => stop.addEventListener("abort", () => reject(stop.reason as Error)));
    };
    await using control = await startControl({ ...options, review: never });
    [runId = ""] = await control.workflows.accept(pushEvent("push:1"), { signal });
    // Its job waits for a runner already.
    assert.equal((await control.workflows.getRun(runId))?.jobs[0]?.status, "queued");
    await asked.promise;
  }
  await using control = await startControl({ ...options, review: say });
  assert.deepEqual(await messages(control, runId, 1), [`shop/web has ${text.length}`]);

  const [next = ""] = await control.workflows.accept(pushEvent("push:2"), { signal });
  assert.deepEqual(await messages(control, next, 1), [`shop/web has ${text.length}`]);
});

test("a file that cannot be looked at harms neither its run nor the next", async () => {
  const folder = await mkdtemp(join(tmpdir(), "remarks-"));
  await using _folder = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
  const asked = Promise.withResolvers<void>();
  let calls = 0;
  const review: ReviewPort = (...args) => {
    calls += 1;
    asked.resolve();
    return calls === 1 ? Promise.reject(new Error("broken")) : say(...args);
  };
  await using control = await startControl({ folder, files: { [path]: text }, leaseMs: 10_000, review });
  const [first = ""] = await control.workflows.accept(pushEvent("push:1"), { signal });
  await asked.promise;
  const [second = ""] = await control.workflows.accept(pushEvent("push:2"), { signal });
  assert.equal((await messages(control, second, 1)).length, 1);
  assert.deepEqual((await control.workflows.getRun(first))?.problems, []);
});
