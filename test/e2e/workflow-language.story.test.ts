/** Story: workflows call workflows, start each other, wait for each other, and are started by hand and by the clock. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { RunDetail, RunSummary, ScheduledWorkflow, WorkflowSummary } from "#api";
import { skipWithout } from "../support/needs.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { until } from "../support/until.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

const caller = `
name: Caller
on: { push: { branches: [main] } }
permissions: { contents: read }
jobs:
  build:
    strategy: { matrix: { part: [api, web] } }
    uses: ./.github/workflows/part.yml
    with: { part: "\${{ matrix.part }}", copies: 2 }
  shared:
    needs: build
    uses: acme/platform/.github/workflows/report.yml@main
    with: { text: "\${{ needs.build.outputs.name }} forced \${{ github.event.forced }}" }
    secrets: inherit
`;

const part = `
name: Part
on:
  workflow_call:
    inputs:
      part: { type: string, required: true }
      copies: { type: number, default: 1 }
    outputs: { name: { value: "\${{ jobs.make.outputs.name }}" } }
jobs:
  make:
    name: Make \${{ inputs.part }}
    runs-on: ubuntu-latest
    outputs: { name: "\${{ steps.done.outputs.name }}" }
    steps:
      - parallel:
          - { id: one, run: 'echo "x=1-\${{ inputs.part }}" >> "$GITHUB_OUTPUT"' }
          - run: 'for i in $(seq \${{ inputs.copies }}); do echo "copy $i"; done'
      - id: done
        run: 'echo "name=\${{ steps.one.outputs.x }}" >> "$GITHUB_OUTPUT"'
`;

const report = `
name: Report
on: { workflow_call: { inputs: { text: { type: string } } } }
jobs:
  tell:
    runs-on: ubuntu-latest
    steps:
      - run: 'echo "told: \${{ inputs.text }} by \${{ github.workflow }} \${{ secrets.GREETING }}"'
`;

const follower = `
name: Follower
on: { workflow_run: { workflows: [Caller], types: [completed] } }
jobs:
  look:
    runs-on: ubuntu-latest
    steps:
      - run: 'echo "\${{ github.event.workflow_run.name }} ended in \${{ github.event.workflow_run.conclusion }}"'
`;

const nightly = `
name: Nightly
on:
  schedule: [{ cron: "30 4 * * 1-5", timezone: Europe/Berlin }]
  repository_dispatch: { types: [deployed] }
jobs:
  night:
    runs-on: ubuntu-latest
    concurrency: night
    steps:
      - run: 'echo "version \${{ github.event.client_payload.version }}"'
`;

describe("Given workflows that know each other", { skip: skipWithout("git") || skipWithout("curl") }, () => {
  let tidegate: Tidegate;
  let work: WorkCopy;

  before(async () => {
    tidegate = await startTidegate({ jobs: 3 });
    work = await newRepository(tidegate, "acme/ci");
    const platform = await newRepository(tidegate, "acme/platform");
    await platform.commit("main", { ".github/workflows/report.yml": report });
    await platform.git(["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
  });
  after(() => tidegate[Symbol.asyncDispose]());

  const completed = (accept: (run: RunSummary) => boolean): Promise<RunDetail> =>
    until(tidegate, "the run's end", async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs");
      const run = items.find(accept);
      if (run?.status === "completed") return await tidegate.api<RunDetail>(`/runs/${run.id}`);
      throw new Error(`The runs are ${JSON.stringify(items)}`);
    });
  const log = async (run: RunSummary, job: string): Promise<string> =>
    (await tidegate.cli(["logs", run.id, "--job", job])).stdout;

  test("when a push calls workflows here and elsewhere, then their jobs stand below their callers", async () => {
    const files = { caller, part, follower, nightly };
    const named = Object.entries(files).map(([name, text]) => [`.github/workflows/${name}.yml`, text]);
    const sha = await work.commit("main", Object.fromEntries(named));
    await work.git(["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
    const run = await completed((one) => one.sha === sha && one.workflow === "Caller");
    assert.equal(
      run.conclusion,
      "success",
      JSON.stringify(run.jobs.map(({ name, conclusion, message }) => [name, conclusion, message])),
    );
    assert.deepEqual(
      run.jobs.map(({ name }) => name),
      ["build (api)", "build (api) / Make api", "build (web)", "build (web) / Make web", "shared", "shared / tell"],
    );
    assert.match(await log(run, "build (web) / Make web"), /^copy 2$/m);
    assert.match(await log(run, "shared / tell"), /^told: 1-web forced false by Caller/m);
    const shown = (await tidegate.cli(["runs", run.id])).stdout;
    assert.match(shown, /^success {2}build \(api\) \(\.\/\.github\/workflows\/part\.yml\)$/m);
    assert.match(shown, /^ {4}success {2}build \(api\) \/ Make api$/m);
  });

  test("when it has ended, then the workflow that follows it runs with what became of it", async () => {
    const run = await completed((one) => one.workflow === "Follower");
    assert.deepEqual([run.event, run.conclusion], ["workflow_run", "success"]);
    assert.match(await log(run, "look"), /^Caller ended in success$/m);
  });

  test("when workflows are listed, then schedules tell their next time; an event starts what waits for it", async () => {
    const listed = JSON.parse(
      (await tidegate.cli(["workflow", "list", "acme/ci", "--json"])).stdout,
    ) as WorkflowSummary[];
    const { schedules = [] } = listed.find(({ name }) => name === "Nightly") ?? {};
    const next = Temporal.Instant.from(schedules[0]?.nextAt ?? "").toZonedDateTimeISO("Europe/Berlin");
    assert.deepEqual([next.hour, next.minute, next.dayOfWeek <= 5], [4, 30, true]);
    assert.match(
      (await tidegate.cli(["workflow", "list", "acme/ci"])).stdout,
      /Nightly .*30 4 \* \* 1-5 \(Europe\/Berlin\) +in \d+[smhd]/,
    );
    const { items } = await tidegate.api<{ items: ScheduledWorkflow[] }>("/schedules");
    assert.deepEqual(
      items.map(({ workflow, nextAt }) => [workflow, nextAt]),
      [["Nightly", schedules[0]?.nextAt]],
    );
    const started = await tidegate.cli([
      "workflow",
      "dispatch",
      "acme/ci",
      "deployed",
      "--payload",
      '{"version":"1.2"}',
    ]);
    const id = /Started run (\d+)/.exec(started.stdout)?.[1] ?? "";
    const run = await completed((one) => one.id === id);
    assert.match(await log(run, "night"), /^version 1\.2$/m);
    assert.match((await tidegate.cli(["workflow", "dispatch", "acme/ci", "nothing"])).stdout, /started no run/);
  });

  test("when a workflow is disabled, then nothing starts it, and its schedule has no next time", async () => {
    await tidegate.cli(["workflow", "disable", "acme/ci", "nightly.yml"]);
    const dispatched = await tidegate.cli(["workflow", "dispatch", "acme/ci", "deployed"]);
    assert.match(dispatched.stdout, /started no run/);
    assert.match((await tidegate.cli(["workflow", "list", "acme/ci"])).stdout, /Nightly .*disabled/);
    await tidegate.cli(["workflow", "enable", "acme/ci", "nightly.yml"]);
    assert.match(
      (await tidegate.cli(["workflow", "enable", "acme/ci", "no.yml"], 1)).stderr,
      /There is no workflow "no\.yml"/,
    );
  });

  test("when a repository comes from Forgejo, then its names and its token are what steps find", async () => {
    const forgejo = await newRepository(tidegate, "acme/moved");
    const sha = await forgejo.commit("Move", {
      ".forgejo/workflows/ci.yml": `
name: Moved
on: push
jobs:
  look:
    runs-on: docker
    outputs: { seen: "\${{ steps.one.outputs.seen }}" }
    steps:
      - id: one
        run: |
          [ "$FORGEJO_TOKEN" = "\${{ secrets.FORGEJO_TOKEN }}" ] && [ "$FORGEJO_TOKEN" = "\${{ forgejo.token }}" ]
          code=$(curl -s -o /dev/null -w '%{http_code}' -H "authorization: token $FORGEJO_TOKEN" "$FORGEJO_API_URL/repos/$FORGEJO_REPOSITORY")
          echo "seen=$code" >> "$FORGEJO_OUTPUT"
      - run: 'echo "seen \${{ steps.one.outputs.seen }} at \${{ forge.ref_name }}"'
`,
    });
    await forgejo.git(["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
    const run = await completed((one) => one.sha === sha);
    assert.match(await log(run, "look"), /^seen 200 at main$/m);
  });

  test("when a call does not fit, then the push says where, and the run that failed as well", async () => {
    const wrong = caller.replace("copies: 2", "copies: many").replace("contents: read", "contents: none");
    const sha = await work.commit("main", {
      ".github/workflows/caller.yml": wrong,
      ".github/workflows/part.yml": part.replace("jobs:\n", "permissions: { contents: write }\njobs:\n"),
    });
    const pushed = await work.git(["push", "origin", "HEAD:refs/heads/main"]);
    const told = `${pushed.stdout}${pushed.stderr}`;
    assert.match(told, /caller\.yml:9:\d+: with\.copies: Input "copies" is "many"\. It must be a number/);
    assert.match(told, /caller\.yml:6:3: uses: .*it asks for contents: write, but is only allowed contents: none/);
    const run = await completed((one) => one.sha === sha && one.workflow === "Caller");
    assert.deepEqual([run.conclusion, run.jobs.length, run.problems.length], ["failure", 0, 2]);
  });
});
