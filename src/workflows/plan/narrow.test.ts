import assert from "node:assert/strict";
import { test } from "node:test";
import { parseWorkflowFile } from "../parse/workflow-file.ts";
import { narrowWorkflow, type Narrowing } from "./narrow.ts";
import { Simulation } from "./simulation.ts";

const nothing: Narrowing = { env: {}, matrixBut: {}, labels: [] };

function queuedWith(narrowing: Partial<Narrowing>, jobs: string): readonly string[] {
  const { value, problems } = parseWorkflowFile(".github/workflows/ci.yml", `on: push\njobs:\n${jobs}`);
  assert.deepEqual(problems, []);
  assert.ok(value);
  const run = new Simulation(narrowWorkflow(value, { ...nothing, ...narrowing })).settle();
  return run.jobs.map(({ id }) => `${run.jobs.find((job) => job.id === id)?.instance?.name ?? id} ${run.state(id)}`);
}

const steps = "steps: [{run: make}]";
const chain = `  a: {runs-on: x, ${steps}}\n  b: {needs: a, runs-on: x, ${steps}}\n  c: {runs-on: x, ${steps}}`;
const systems = "  t: {strategy: {matrix: {os: [ubuntu-latest, windows-latest], node: [20, 26]}}, ";
const matrix = `${systems}runs-on: "\${{ matrix.os }}", ${steps}}`;

const cases: readonly { name: string; narrowing: Partial<Narrowing>; jobs: string; want: readonly string[] }[] = [
  {
    name: "a job that was asked for runs with what it needs, and nothing else",
    narrowing: { jobs: ["b"] },
    jobs: chain,
    want: ["a queued", "b waiting"],
  },
  {
    name: "only combinations that were asked for run",
    narrowing: { matrixBut: { OS: ["ubuntu-latest"], node: ["26"], other: ["x"] } },
    jobs: matrix,
    want: ["t (ubuntu-latest, 26) queued"],
  },
  {
    name: "jobs for other systems are skipped, and fail-fast leaves the others alone",
    narrowing: { labels: ["windows"], matrixBut: { node: ["20"] } },
    jobs: matrix,
    want: ["t (ubuntu-latest, 20) queued", "t (windows-latest, 20) skipped"],
  },
  {
    name: "a matrix without what was asked for fails, as the job would run for nothing",
    narrowing: { matrixBut: { os: ["beos"] } },
    jobs: matrix,
    want: ["t failure"],
  },
];
for (const { name, narrowing, jobs, want } of cases) {
  test(name, () => {
    const found = queuedWith(narrowing, jobs);

    assert.deepEqual(found, want);
  });
}

test("what looks like an expression in a variable that was given stays text", () => {
  const { value } = parseWorkflowFile(".github/workflows/ci.yml", `on: push\njobs:\n${chain}`);
  assert.ok(value);
  const { env } = narrowWorkflow(value, { ...nothing, env: { A: "${{ secrets.X }}" } });
  assert.deepEqual(env, { A: "${{ '${{' }} secrets.X }}" });
});
