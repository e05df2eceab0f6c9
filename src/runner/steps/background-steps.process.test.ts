import { deepEqual, equal, match } from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { JobAssignment } from "#workflows";
import { createRunner } from "../runner.ts";
import { ControlFake, jobWith, logOf, type JobRecord, type StepText, runnerOptions } from "../testing.ts";

const signal = AbortSignal.timeout(60_000);
const parts = new AsyncDisposableStack();
let control: ControlFake;

before(async () => {
  const folder = parts.adopt(await mkdtemp(join(tmpdir(), "background-")), async (path) => {
    await rm(path, { recursive: true, force: true });
  });
  control = parts.use(new ControlFake());
  await control.start();
  const runner = createRunner(
    runnerOptions(control, {
      labels: ["linux"],
      workFolder: join(folder, "work"),
      concurrency: 2,
      engine: `unix://${join(folder, "no-engine.sock")}`,
      baseEnv: {
        PATH: (process.env["PATH"] ?? "")
          .split(":")
          .filter((one) => !one.includes("node_modules"))
          .join(":"),
      },
    }),
  );
  const stop = new AbortController();
  const running = runner.run(stop.signal);
  parts.defer(async () => {
    stop.abort();
    await running;
    await runner[Symbol.asyncDispose]();
  });
});
after(async () => await parts.disposeAsync());

let count = 0;
function queue(steps: readonly StepText[], more: Partial<JobAssignment> = {}): JobRecord {
  const named = steps.map((step) => ({ ...step, contextName: step.id ?? step.name ?? "step" }));
  return control.queue(jobWith(`job-${++count}`, named, more));
}

async function runJob(steps: readonly StepText[], more: Partial<JobAssignment> = {}): Promise<JobRecord> {
  const record = queue(steps, more);
  await control.until(record, ({ completed }) => completed !== undefined, signal);
  return record;
}

function ends(record: JobRecord): Readonly<Record<string, string>> {
  const own = (record.completed?.steps ?? []).filter((step) => !/^(Set up|Complete) job$/.test(step.name));
  return Object.fromEntries(
    own.map(({ name, outcome, conclusion }) => [
      name,
      outcome === conclusion ? `${conclusion}` : `${outcome}, ${conclusion}`,
    ]),
  );
}

/** Two steps that can only end together: each waits for the file of the other. */
function meet(own: string, other: string): string {
  return `touch ${own}; until test -e ${other}; do sleep 0.02; done`;
}

test("steps in the background run beside each other, and what they set is seen after the wait", async () => {
  const record = await runJob([
    {
      id: "a",
      name: "a",
      background: true,
      run: `${meet("a", "b")}; echo "x=1" >> "$GITHUB_OUTPUT"; echo "FROM_A=yes" >> "$GITHUB_ENV"`,
    },
    { id: "b", name: "b", background: true, run: meet("b", "a") },
    { name: "before", run: 'echo "[${{ steps.a.outputs.x }}$FROM_A]"' },
    { name: "wait", if: "always()", control: { kind: "wait", steps: ["a", "b"] } },
    { name: "after", run: 'echo "[${{ steps.a.outputs.x }}$FROM_A ${{ steps.b.outcome }}]"' },
  ]);
  equal(record.completed?.conclusion, "success");
  match(logOf(record, "before"), /^\[\]$/m);
  match(logOf(record, "after"), /^\[1yes success\]$/m);
  deepEqual(
    record.completed?.steps
      .map((step) => [step.logLines, record.logs.get(step.number)?.length ?? 0])
      .filter(([a, b]) => a !== b),
    [],
  );
});

test("a failure in the background is the job's when it is waited for, at its end at last", async () => {
  const waited = await runJob([
    { id: "a", name: "a", background: true, run: "exit 3" },
    { name: "wait", if: "always()", control: { kind: "wait-all" } },
    { name: "next", run: "true" },
  ]);
  deepEqual(ends(waited), { a: "failure", wait: "failure", next: "skipped" });
  equal(waited.completed?.conclusion, "failure");
  const forgotten = await runJob([
    { name: "a", background: true, run: "sleep 0.1; exit 3" },
    { name: "next", run: "true" },
  ]);
  deepEqual(ends(forgotten), { a: "failure", next: "success" });
  equal(forgotten.completed?.conclusion, "failure");
  const allowed = await runJob([
    { name: "a", background: true, run: "exit 3", continueOnError: true },
    { name: "wait", if: "always()", control: { kind: "wait-all" } },
  ]);
  deepEqual(ends(allowed), { a: "failure, success", wait: "success" });
});

test("a step that is cancelled by another has ended as expected", async () => {
  const record = await runJob([
    { id: "server", name: "server", background: true, run: "exec sleep 60" },
    { name: "use", run: "true" },
    { name: "stop it", if: "always()", control: { kind: "cancel", steps: ["server"] } },
    { name: "after", run: 'test "${{ steps.server.conclusion }}" = cancelled' },
  ]);
  deepEqual(ends(record), { server: "cancelled", use: "success", "stop it": "success", after: "success" });
  equal(record.completed?.conclusion, "success");
});

test("cancelling the job stops what runs in the background", async () => {
  const record = queue([
    { id: "a", name: "a", background: true, run: "exec sleep 60" },
    { name: "wait", if: "always()", control: { kind: "wait", steps: ["a"] } },
    { name: "last", if: "always()", run: "true" },
  ]);
  await control.until(
    record,
    ({ steps }) => steps.some((step) => step.name === "wait" && step.status === "in_progress"),
    signal,
  );
  control.cancel(record);
  await control.until(record, ({ completed }) => completed !== undefined, signal);
  deepEqual(ends(record), { a: "cancelled", wait: "cancelled", last: "success" });
  equal(record.completed?.conclusion, "cancelled");
});

test("more than ten wait for their turn", async () => {
  const steps = Array.from({ length: 14 }, (_, index) => ({ name: `s${index}`, background: true, run: "sleep 0.05" }));
  const record = await runJob(steps);
  equal(record.completed?.conclusion, "success");
  equal(
    Object.values(ends(record)).every((end) => end === "success"),
    true,
  );
});

test("a job with a container fails with what to do where there is no engine, and the address of its environment is told", async () => {
  const container = { image: "node:24", env: {}, ports: [], volumes: [] };
  const refused = await runJob([{ name: "a", run: "true" }], { container });
  equal(refused.completed?.conclusion, "failure");
  const said = /Cannot run the containers of the job \(node:24\): Cannot reach the container engine .*Install Docker/;
  match(logOf(refused, "Initialize containers"), said);
  const environment = { name: "staging", deployment: true, url: "https://${{ steps.a.outputs.host }}/" };
  const deployed = await runJob([{ id: "a", name: "a", run: 'echo "host=x.example" >> "$GITHUB_OUTPUT"' }], {
    environment,
  });
  equal(deployed.completed?.environmentUrl, "https://x.example/");
});
