import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Conclusion } from "./job-state.ts";

import { Simulation, simulate, type JobText } from "./simulation.ts";

describe("needs and conditions", () => {
  const after = (condition: string): JobText => ({
    a: "",
    b: `needs: a${condition === "" ? "" : `, if: "${condition}"`}`,
  });
  const cases: readonly { name: string; jobs: JobText; ends: Readonly<Record<string, Conclusion>>; want: string }[] = [
    { name: "a job waits for what it needs", jobs: after(""), ends: {}, want: "waiting" },
    { name: "success lets the next job go", jobs: after(""), ends: { a: "success" }, want: "queued" },
    { name: "failure skips the next job", jobs: after(""), ends: { a: "failure" }, want: "skipped" },
    { name: "always() runs after failure", jobs: after("always()"), ends: { a: "failure" }, want: "queued" },
    { name: "failure() runs after failure", jobs: after("failure()"), ends: { a: "failure" }, want: "queued" },
    { name: "failure() does not run after success", jobs: after("failure()"), ends: { a: "success" }, want: "skipped" },
    {
      name: "!cancelled() runs after failure",
      jobs: after("${{ !cancelled() }}"),
      ends: { a: "failure" },
      want: "queued",
    },
    {
      name: "a condition without status function keeps success()",
      jobs: after("github.ref == 'refs/heads/main'"),
      ends: { a: "failure" },
      want: "skipped",
    },
    {
      name: "a condition that is false skips",
      jobs: after("github.ref == 'x'"),
      ends: { a: "success" },
      want: "skipped",
    },
    {
      name: "results are read from needs",
      jobs: after("always() && needs.a.result == 'failure'"),
      ends: { a: "failure" },
      want: "queued",
    },
    {
      name: "a skip goes on through a job that ran anyway",
      jobs: { z: "if: false", a: "needs: z, if: always()", b: "needs: a" },
      ends: { a: "success" },
      want: "skipped",
    },
    {
      name: "a failure that is allowed counts as success",
      jobs: { a: "continue-on-error: true", b: "needs: a" },
      ends: { a: "failure" },
      want: "queued",
    },
    {
      name: "a condition that cannot be evaluated fails the job",
      jobs: { b: `if: "fromJSON('x')"` },
      ends: {},
      want: "failure",
    },
  ];
  for (const { name, jobs, ends, want } of cases) {
    test(name, () => {
      const run = simulate(jobs);
      for (const [id, conclusion] of Object.entries(ends)) run.end(id, conclusion);
      assert.equal(run.state("b"), want);
    });
  }
});

describe("matrix jobs", () => {
  const matrix = "strategy: {matrix: {v: [1, 2, 3]}}";

  test("one failure cancels its siblings, running or not", () => {
    const run = simulate({ a: matrix }).start("a.1").end("a", "failure");
    assert.deepEqual(run.states(), { a: "failure", "a.1": "cancelling", "a.2": "cancelled" });
    assert.equal(run.end("a.1", "cancelled").conclusion, "failure");
  });

  test("without fail-fast the siblings go on", () => {
    const run = simulate({ a: "strategy: {fail-fast: false, matrix: {v: [1, 2, 3]}}" }).end("a", "failure");
    assert.deepEqual(run.states(), { a: "failure", "a.1": "queued", "a.2": "queued" });
  });

  test("max-parallel lets the next begin when one has ended", () => {
    const run = simulate({ a: "strategy: {max-parallel: 2, matrix: {v: [1, 2, 3]}}" });
    assert.deepEqual(run.states(), { a: "queued", "a.1": "queued", "a.2": "waiting" });
    assert.equal(run.end("a", "success").state("a.2"), "queued");
  });

  test("a matrix may come from the outputs of a needed job", () => {
    const jobs = { a: "", b: `needs: a, strategy: {matrix: "\${{ fromJSON(needs.a.outputs.m) }}"}` };
    const run = simulate(jobs).end("a", "success", { m: '{"v":[1,2]}' });
    assert.deepEqual(
      run.jobs.map((job) => job.instance?.name),
      ["a", "b (1)", "b (2)"],
    );
  });

  test("a matrix without combinations fails its job", () => {
    assert.equal(simulate({ a: `strategy: {matrix: {v: "\${{ fromJSON('[]') }}"}}` }).conclusion, "failure");
  });

  test("a name made of the matrix stands for itself", () => {
    const run = simulate({ a: `${matrix}, name: "on \${{ matrix.v }}"` });
    assert.deepEqual(
      run.jobs.map((job) => job.instance?.name),
      ["on 1", "on 2", "on 3"],
    );
  });
});

describe("cancelling", () => {
  test("ends what waits, stops what runs and lets always() go on", () => {
    const run = simulate({ a: "", b: "", c: "needs: a", d: "needs: a, if: always()" }).start("a");
    run.cancelRequested = true;
    run.settle();
    assert.deepEqual(run.states(), { a: "cancelling", b: "cancelled", c: "waiting", d: "waiting" });
    run.end("a", "cancelled");
    assert.deepEqual(run.states(), { a: "cancelled", b: "cancelled", c: "cancelled", d: "queued" });
    assert.equal(run.end("d", "success").conclusion, "cancelled");
  });
});

describe("a runner that is lost", () => {
  test("gives its job to another one, once, then the job fails", () => {
    const run = simulate({ a: "" }).start("a", 1, 1000).settle();
    assert.equal(run.state("a"), "queued");
    assert.equal(run.start("a", 2, 1000).settle().conclusion, "failure");
  });

  test("leaves a job alone whose lease has not ended", () => {
    assert.equal(simulate({ a: "" }).start("a", 1, 1001).settle().state("a"), "in_progress");
  });

  test("cancels a job that was being cancelled", () => {
    const run = simulate({ a: "" }).start("a", 1, 1000);
    run.cancelRequested = true;
    assert.equal(run.settle().conclusion, "cancelled");
  });
});

/** A graph of up to seven jobs where each may need those before it. */
const graphs = fc
  .array(
    fc.record({
      needs: fc.array(fc.nat(5), { maxLength: 3 }),
      condition: fc.constantFrom("", "always()", "failure()", "cancelled()", "success()", "'x' == 'y'"),
      size: fc.integer({ min: 0, max: 3 }),
      failFast: fc.boolean(),
      maxParallel: fc.nat(2),
      allowed: fc.boolean(),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((jobs) =>
    Object.fromEntries(
      jobs.map((job, index) => {
        const needs = job.needs.filter((need) => need < index).map((need) => `j${need}`);
        const parts = [`needs: [${needs.join(", ")}]`, `continue-on-error: ${job.allowed}`];
        if (job.condition !== "") parts.push(`if: "${job.condition}"`);
        if (job.size > 0) {
          const list = Array.from({ length: job.size }, (_, i) => i).join(", ");
          const limit = job.maxParallel === 0 ? "" : `, max-parallel: ${job.maxParallel}`;
          parts.push(`strategy: {fail-fast: ${job.failFast}${limit}, matrix: {v: [${list}]}}`);
        }
        return [`j${index}`, parts.join(", ")];
      }),
    ),
  );

test("every run ends, whatever its graph and however its jobs end", () => {
  const ends = fc.infiniteStream(fc.constantFrom("success", "success", "failure", "cancelled"));
  const cancelAfter = fc.option(fc.nat(5), { nil: undefined });
  fc.assert(
    fc.property(graphs, ends, cancelAfter, (jobs, conclusions, cancelled) => {
      const run = simulate(jobs);
      for (let step = 0; run.conclusion === undefined; step++) {
        if (step === cancelled) {
          run.cancelRequested = true;
          run.settle();
          continue;
        }
        assertLaws(run);
        const next = run.jobs.find((job) => job.status === "queued");
        assert.ok(next !== undefined, "a run that has not ended has a job to run");
        run.end(next.id, (conclusions.next().value ?? "success") as Conclusion);
      }
      assert.ok(run.jobs.every((job) => job.status === "completed" && job.conclusion !== undefined));
      assert.equal(new Set(run.queued).size, run.queued.length, "no job is queued twice");
    }),
    { numRuns: 300 },
  );
});

function assertLaws(run: Simulation): void {
  for (const job of run.jobs) {
    const definition = run.workflow.jobs.find((other) => other.key === job.key);
    if (job.status === "waiting") continue;
    for (const key of definition?.needs ?? []) {
      const needed = run.jobs.filter((other) => other.key === key);
      assert.ok(
        needed.every((other) => other.status === "completed"),
        `${job.id} began before ${key} had ended`,
      );
    }
    const limit = job.instance?.maxParallel ?? 0;
    const active = run.jobs.filter((other) => other.key === job.key && other.status === "queued").length;
    assert.ok(limit === 0 || active <= limit, `${job.key} keeps to max-parallel`);
  }
}
