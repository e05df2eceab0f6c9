import { equal } from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { allRuns, pushEvent, startControl } from "../testing.ts";

const many = `
on: push
jobs:
  each:
    runs-on: ubuntu-latest
    strategy: { matrix: { n: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20] } }
    steps: [{ run: only-in-this-workflow }]
`;

test("a run of many jobs is told without reading its workflow anew for each", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "run-views-"));
  context.after(async () => await rm(folder, { recursive: true, force: true }));
  const files = { ".github/workflows/ci.yml": many };
  await using control = await startControl({ folder, files, leaseMs: 10_000 });
  await control.workflows.accept(pushEvent("event-1"), { signal: AbortSignal.timeout(60_000) });
  const [run] = await allRuns(control.workflows);
  const parsed = context.mock.method(JSON, "parse");
  const told = await control.workflows.getRun(run?.id ?? "");
  equal(told?.jobs.length, 20);
  const workflows = parsed.mock.calls.filter(({ arguments: [text] }) => text.includes("only-in-this-workflow"));
  equal(workflows.length, 1);
});
