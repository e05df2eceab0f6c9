import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { JobAssignment, LogResponse, StepState } from "../protocol.ts";
import { allRuns, pushEvent, RunnerFake, spawnControl, startControl, type ControlOptions } from "../testing.ts";
import type { LogEntryView, RunDetails } from "./view.ts";

const pipeline = `
name: Pipeline
run-name: Deliver \${{ github.ref_name }}
on: { push: { branches: [main] } }
env:
  REGION: \${{ vars.REGION }}
  SECRET: \${{ secrets.PASSWORD }}
jobs:
  build:
    runs-on: ubuntu-latest
    outputs:
      image: \${{ steps.pack.outputs.image }}
    steps:
      - id: pack
        run: make
  test:
    needs: build
    runs-on: ubuntu-latest
    strategy: { matrix: { node: [20, 26] } }
    env: { IMAGE: "\${{ needs.build.outputs.image }}" }
    steps:
      - run: make test
`;

const single = `
on: push
jobs:
  only:
    runs-on: ubuntu-latest
    steps:
      - run: make
`;

let folder: string;
let number = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "workflows-"));
});
after(async () => await rm(folder, { recursive: true, force: true }));

async function options(text: string, values: Partial<ControlOptions> = {}): Promise<ControlOptions> {
  number += 1;
  const own = await mkdtemp(join(folder, `${number}-`));
  return { folder: own, files: { ".github/workflows/ci.yml": text }, leaseMs: 10_000, ...values };
}

async function only(runs: Promise<readonly RunDetails[]>): Promise<RunDetails> {
  const [run, ...others] = await runs;
  assert.ok(run !== undefined && others.length === 0, "exactly one run");
  return run;
}

async function runsAt(url: string): Promise<readonly RunDetails[]> {
  return (await (await fetch(`${url}/test/runs`)).json()) as readonly RunDetails[];
}

async function accept(url: string, id: string): Promise<readonly string[] | undefined> {
  const body = JSON.stringify(pushEvent(id));
  const headers = { "content-type": "application/json" };
  try {
    const response = await fetch(`${url}/test/accept`, { method: "POST", headers, body });
    return ((await response.json()) as { runs: readonly string[] }).runs;
  } catch {
    return undefined;
  }
}

const signal = new AbortController().signal;

describe("a run over the runner protocol", () => {
  test("goes from push through needs, outputs and matrix to success", async () => {
    await using control = await startControl(await options(pipeline));
    const runner = new RunnerFake("one", control.url);
    const waiting = runner.claim("claim-1", ["Ubuntu-Latest", "self-hosted"]);
    const ids = await control.workflows.accept(pushEvent("event-1"), { signal });
    const build = await waiting;
    assert.equal(build.name, "build");
    assert.deepEqual(build.contexts.env, { REGION: "north", SECRET: "s3cret" });
    assert.equal(build.secrets["GITHUB_TOKEN"], build.contexts.github["token"]);
    assert.equal(build.contexts.github["workflow_ref"], "shop/web/.github/workflows/ci.yml@refs/heads/main");
    assert.deepEqual([...control.tokens], [build.jobId]);
    assert.equal(await runner.complete(build, "success", { image: "web:1" }), 200);
    const tests = [await runner.claim("claim-2"), await runner.claim("claim-3")];
    assert.deepEqual(tests.map((job) => job.name).sort(), ["test (20)", "test (26)"]);
    assert.equal(tests[0]?.contexts.env["IMAGE"], "web:1");
    assert.equal(tests[0]?.runId, ids[0]);
    for (const job of tests) await runner.complete(job, "success");
    const run = await only(allRuns(control.workflows));
    assert.equal(run.conclusion, "success");
    assert.equal(run.title, "Deliver main");
    assert.deepEqual(
      run.jobs.map((job) => job.needs),
      [[], ["build"], ["build"]],
    );
  });

  test("a job reads the secrets of its environment, whose name may come from a job before it", async () => {
    const deploy = `
on: push
jobs:
  plan: { runs-on: ubuntu-latest, outputs: { target: "\${{ steps.a.outputs.b }}" }, steps: [{ run: make }] }
  deploy:
    needs: plan
    runs-on: ubuntu-latest
    environment: { name: "\${{ needs.plan.outputs.target }}" }
    steps: [{ run: make }]
`;
    await using control = await startControl(await options(deploy));
    await control.workflows.accept(pushEvent("event-1"), { signal });
    const runner = new RunnerFake("one", control.url);
    const plan = await runner.claim("claim-1");
    assert.equal(plan.secrets["PASSWORD"], "s3cret");
    await runner.complete(plan, "success", { target: "production" });
    assert.equal((await runner.claim("claim-2")).secrets["PASSWORD"], "s3cret of production");
  });

  test("a claim repeated after a lost answer gets the same job", async () => {
    await using control = await startControl(await options(single));
    await control.workflows.accept(pushEvent("event-1"), { signal });
    const runner = new RunnerFake("one", control.url);
    const first = await runner.claim("claim-1");
    const again = await runner.claim("claim-1");
    assert.deepEqual([again.jobId, again.lease], [first.jobId, first.lease]);
  });

  test("cancelling answers a waiting heartbeat at once and ends the run as cancelled", async () => {
    await using control = await startControl(await options(single, { leaseMs: 60_000 }));
    const [runId = ""] = await control.workflows.accept(pushEvent("event-1"), { signal });
    const runner = new RunnerFake("one", control.url);
    const job = await runner.claim("claim-1");
    const heartbeat = runner.post(`/jobs/${job.jobId}/heartbeat`, { lease: job.lease, waitMs: 20_000 });
    await control.workflows.cancel(runId);
    assert.deepEqual(await (await heartbeat).json(), { cancel: true });
    await runner.complete(job, "cancelled");
    assert.equal((await control.workflows.getRun(runId))?.conclusion, "cancelled");
  });

  test("only failed jobs run again, with the results of the others", async () => {
    await using control = await startControl(await options(pipeline));
    const [runId = ""] = await control.workflows.accept(pushEvent("event-1"), { signal });
    const runner = new RunnerFake("one", control.url);
    await runner.complete(await runner.claim("a"), "success", { image: "web:1" });
    await runner.complete(await runner.claim("b"), "failure");
    const failed = await control.workflows.getRun(runId);
    assert.equal(failed?.conclusion, "failure", "the other one of the matrix was cancelled before it began");
    await control.workflows.rerun(runId, { failedOnly: true, actor: "bob" });
    const jobs = [await runner.claim("c"), await runner.claim("d")];
    assert.deepEqual(
      jobs.map((job) => [job.key, job.runAttempt, job.contexts.env["IMAGE"]]),
      [
        ["test", 2, "web:1"],
        ["test", 2, "web:1"],
      ],
    );
    for (const job of jobs) await runner.complete(job, "success");
    const run = await control.workflows.getRun(runId);
    assert.deepEqual([run?.conclusion, run?.attempt, run?.triggeringActor], ["success", 2, "bob"]);
  });

  test("a broken workflow file is a failed run that lists all its problems", async () => {
    const broken =
      "on: push\njobs:\n  a:\n    runs-on: x\n    needs: nobody\n    steps: [{ run: 'echo ${{ foo.bar }}' }]\n";
    await using control = await startControl(await options(broken));
    await control.workflows.accept(pushEvent("event-1"), { signal });
    const run = await only(allRuns(control.workflows));
    assert.equal(run.conclusion, "failure");
    assert.deepEqual(
      run.problems.map((problem) => problem.at?.line),
      [5, 6],
    );
    await assert.rejects(control.workflows.rerun(run.id, { actor: "ada" }), /never began/);
  });

  test("of runs in one concurrency group the newest waits and replaces the one before", async () => {
    await using control = await startControl(await options(`concurrency: deploy\n${single}`));
    const accepted = ["e1", "e2", "e3"].map((id) => control.workflows.accept(pushEvent(id), { signal }));
    await Promise.all(accepted);
    const states = (await allRuns(control.workflows)).map((run) => run.conclusion ?? run.status).reverse();
    assert.deepEqual(states, ["queued", "cancelled", "pending"]);
    const runner = new RunnerFake("one", control.url);
    await runner.complete(await runner.claim("a"), "success");
    await runner.complete(await runner.claim("b"), "success");
    const ends = (await allRuns(control.workflows)).map((run) => run.conclusion).reverse();
    assert.deepEqual(ends, ["success", "cancelled", "success"]);
  });

  test("requests without a token, of the wrong shape or about unknown jobs are refused", async () => {
    await using control = await startControl(await options(single));
    const runner = new RunnerFake("one", control.url);
    const bare = await fetch(`${control.url}/api/tidegate/v1/runner/claim`, { method: "POST", body: "{}" });
    assert.equal(bare.status, 401);
    assert.equal((await runner.post("/claim", { name: "x" })).status, 400);
    assert.equal((await runner.post("/jobs/99/heartbeat", { lease: "x" })).status, 404);
    const lines = [{ time: "2026-01-01T00:00:00Z", text: "two\nlines" }];
    assert.equal((await runner.post("/jobs/99/log", { lease: "x", step: 1, firstLine: 0, lines })).status, 400);
  });
});

describe("events", () => {
  const sha = "7".repeat(40);

  test("told twice at once start their runs once", async () => {
    await using control = await startControl(await options(single));
    const twice = ["same", "same"].map((id) => control.workflows.accept(pushEvent(id), { signal }));
    const [first, second] = await Promise.all(twice);
    assert.deepEqual(first, second);
    await only(allRuns(control.workflows));
  });

  test("that delete a ref, ask to be skipped or touch other paths start nothing", async () => {
    await using skipping = await startControl(await options(single, { headMessage: "Tidy up [skip ci]" }));
    assert.deepEqual(await skipping.workflows.accept(pushEvent("a"), { signal }), []);
    const filtered = single.replace("push", "{ push: { paths: ['src/**'] } }");
    await using control = await startControl(await options(filtered, { changedPaths: ["docs/a.md"] }));
    assert.deepEqual(await control.workflows.accept(pushEvent("b"), { signal }), []);
    assert.deepEqual(await control.workflows.accept(pushEvent("c", { sha: "0".repeat(40) }), { signal }), []);
  });

  test("of pull requests carry their branches to the job", async () => {
    await using control = await startControl(await options(single.replace("push", "pull_request")));
    const pull = { number: 5, title: "Better", base: { ref: "main", sha }, head: { ref: "feature", sha } };
    const payload = { action: "opened", number: 5, pull_request: pull };
    const base = { id: "a", repository: "shop/web", ref: "refs/pull/5/merge", sha, actor: "ada" };
    await control.workflows.accept({ ...base, name: "pull_request", payload }, { signal });
    const job = await new RunnerFake("one", control.url).claim("a");
    assert.deepEqual(Object.keys(job.secrets), ["GITHUB_TOKEN"], "none for a head that may be anybody's");
    const { github } = job.contexts;
    const { head_ref, base_ref, ref_name, event_name } = github;
    assert.deepEqual([head_ref, base_ref, ref_name, event_name], ["feature", "main", "5/merge", "pull_request"]);
    assert.equal((await only(allRuns(control.workflows))).title, "Better");
  });

  test("of a person check their inputs and keep their types", async () => {
    const on = "{ workflow_dispatch: { inputs: { dry: { type: boolean, default: true } } } }";
    await using control = await startControl(await options(single.replace("push", on)));
    const base = { repository: "shop/web", ref: "refs/heads/main", sha, actor: "ada", workflow: "ci.yml" } as const;
    const wrong = { ...base, id: "a", name: "workflow_dispatch", inputs: { dry: "perhaps" } } as const;
    await assert.rejects(control.workflows.accept(wrong, { signal }), /inputs.dry: Value is "perhaps"/);
    await assert.rejects(control.workflows.accept({ ...wrong, workflow: "no.yml" }, { signal }), /no such file/);
    await control.workflows.accept({ ...wrong, inputs: {} }, { signal });
    const job = await new RunnerFake("one", control.url).claim("a");
    assert.deepEqual(job.contexts.inputs, { dry: true });
  });
});

test("a job that no runner can take says what it waits for", async () => {
  await using control = await startControl(await options(single));
  const [runId = ""] = await control.workflows.accept(pushEvent("event-1"), { signal });
  const message = async (): Promise<string | undefined> => (await control.workflows.getRun(runId))?.jobs[0]?.message;
  assert.match((await message()) ?? "", /no runner is connected: start a runner with ubuntu-latest/);
  const runner = new RunnerFake("mac", control.url);
  const gone = new AbortController();
  const claim = runner.post("/claim", { runnerId: "mac", name: "mac", labels: ["macos"], claimId: "a" }, gone.signal);
  while (control.workflows.runners().length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.match((await message()) ?? "", /no connected runner has all of its labels/);
  gone.abort();
  await assert.rejects(claim);
});

describe("leases", () => {
  test("a silent runner loses its job to another one, once; then the job fails", async () => {
    await using control = await startControl(await options(single, { leaseMs: 150 }));
    await control.workflows.accept(pushEvent("event-1"), { signal });
    const silent = new RunnerFake("silent", control.url);
    const other = new RunnerFake("other", control.url);
    const first = await silent.claim("claim-1");
    const second = await other.claim("claim-2");
    assert.equal(second.jobId, first.jobId);
    assert.equal(await silent.complete(first, "success"), 410);
    for await (const notice of control.workflows.subscribe(AbortSignal.timeout(10_000))) {
      if (notice.kind === "run") break;
    }
    const run = await only(allRuns(control.workflows));
    assert.equal(run.conclusion, "failure");
    assert.match(run.jobs[0]?.message ?? "", /stopped answering/);
    assert.equal(await other.complete(second, "success"), 410);
  });

  test("a job its runner gives up goes to another one at once", async () => {
    await using control = await startControl(await options(single, { leaseMs: 60_000 }));
    await control.workflows.accept(pushEvent("event-1"), { signal });
    const runner = new RunnerFake("one", control.url);
    const first = await runner.claim("claim-1");
    await runner.post(`/jobs/${first.jobId}/abandon`, { lease: first.lease, reason: "restarted" });
    const second = await runner.claim("claim-2");
    assert.equal(second.jobId, first.jobId);
    assert.notEqual(second.lease, first.lease);
    await runner.post(`/jobs/${second.jobId}/abandon`, { lease: second.lease, reason: "The disk is full" });
    const run = await only(allRuns(control.workflows));
    assert.equal(run.conclusion, "failure");
    assert.match(run.jobs[0]?.message ?? "", /^The disk is full\. That was try 2 of 2: look at the runner's log/);
  });
});

describe("a control process killed", () => {
  test("between accepting an event and its reply starts the run once", async () => {
    const given = await options(single);
    await using dying = await spawnControl({ ...given, dieAt: "before reply" });
    assert.equal(await accept(dying.url, "event-1"), undefined);
    await using control = await spawnControl(given);
    assert.equal((await accept(control.url, "event-1"))?.length, 1);
    const runner = new RunnerFake("one", control.url);
    await runner.complete(await runner.claim("claim-1"), "success");
    assert.equal((await only(runsAt(control.url))).conclusion, "success");
  });

  test("before it noted an event starts the run when it is told again", async () => {
    const given = await options(single);
    await using dying = await spawnControl({ ...given, dieAt: "before commit" });
    assert.equal(await accept(dying.url, "event-1"), undefined);
    await using control = await spawnControl(given);
    assert.deepEqual(await runsAt(control.url), []);
    await accept(control.url, "event-1");
    assert.equal((await only(runsAt(control.url))).status, "queued");
  });

  test("for longer than the lease leaves a live runner its job and every acknowledged line", async () => {
    const given = await options(single, { leaseMs: 400 });
    await using first = await spawnControl(given);
    await accept(first.url, "event-1");
    const runner = new RunnerFake("one", first.url);
    const job = await runner.claim("claim-1");
    assert.equal(await runner.sendLog(job, 1, 0, ["a", "b", "c"]), 3);
    await first.kill();
    await new Promise((resolve) => setTimeout(resolve, 600));
    await using second = await spawnControl(given);
    runner.url = second.url;
    assert.equal(await runner.sendLog(job, 1, 0, []), 3, "asks what is kept");
    assert.equal(await runner.sendLog(job, 1, 5, ["f"]), 3, "a gap is not taken");
    assert.equal(await runner.sendLog(job, 1, 1, ["b", "c", "d"]), 4, "what is kept is not taken twice");
    assert.equal(await runner.complete(job, "success"), 200);
    assert.equal(await runner.complete(job, "success"), 200, "completing again changes nothing");
    const run = await only(runsAt(second.url));
    assert.deepEqual([run.conclusion, run.jobs[0]?.tries], ["success", 1]);
    await second.kill();
    await using third = await startControl(given);
    const lines: string[] = [];
    for await (const { text } of third.workflows.logs(job.jobId, { signal })) lines.push(text);
    assert.deepEqual(lines, ["a", "b", "c", "d"]);
  });
});

test("a follower sees every line of every step in order, as they come", async () => {
  await using control = await startControl(await options(single));
  await control.workflows.accept(pushEvent("event-1"), { signal });
  const runner = new RunnerFake("one", control.url);
  const job = await runner.claim("claim-1");
  const seen: LogEntryView[] = [];
  const following = (async () => {
    for await (const entry of control.workflows.logs(job.jobId, { follow: true, signal })) seen.push(entry);
  })();
  const done: StepState = { number: 1, name: "Set up job", status: "completed", conclusion: "success", logLines: 2 };
  const next: StepState = { number: 2, name: "make", status: "in_progress" };
  await runner.post(`/jobs/${job.jobId}/steps`, { lease: job.lease, revision: 1, steps: [done, next] });
  await runner.sendLog(job, 2, 0, ["second step begins"]);
  await runner.sendLog(job, 1, 0, ["one", "two"]);
  await runner.sendLog(job, 2, 1, ["end"]);
  await runner.complete(job, "success", {}, [done, { ...next, status: "completed", conclusion: "success" }]);
  await following;
  assert.deepEqual(
    seen.map((entry) => `${entry.step}:${entry.line} ${entry.text}`),
    ["1:0 one", "1:1 two", "2:0 second step begins", "2:1 end"],
  );
});

test("a job is completed by a request that brings the last of its log, and not before all of it is there", async () => {
  await using control = await startControl(await options(single));
  await control.workflows.accept(pushEvent("event-1"), { signal });
  const runner = new RunnerFake("one", control.url);
  const job = await runner.claim("claim-1");
  const step: StepState = { number: 1, name: "make", status: "completed", conclusion: "success" };
  const end = { lease: job.lease, conclusion: "success", outputs: {}, annotations: [], summary: "", steps: [step] };
  const complete = async (firstLine: number, texts: readonly string[]): Promise<unknown> => {
    const lines = texts.map((text) => ({ time: "2026-01-01T00:00:00.000Z", text }));
    const logs = [{ step: 1, firstLine, lines }];
    return await (await runner.post(`/jobs/${job.jobId}/complete`, { ...end, logs })).json();
  };
  const conclusion = async (): Promise<string | undefined> =>
    (await control.workflows.getJob(job.jobId))?.conclusion ?? undefined;
  await runner.sendLog(job, 1, 0, ["one"]);
  assert.deepEqual([await complete(2, ["three"]), await conclusion()], [{ acknowledged: [1] }, undefined]);
  assert.deepEqual([await complete(1, ["two", "three"]), await conclusion()], [{ acknowledged: [3] }, "success"]);
  assert.deepEqual(await complete(1, ["two", "three"]), { acknowledged: [3] }, "told again, nothing changes");
  const texts: string[] = [];
  for await (const { text } of control.workflows.logs(job.jobId, { signal })) texts.push(text);
  assert.deepEqual(texts, ["one", "two", "three"]);
});

const many = `
on: push
jobs:
  each:
    runs-on: ubuntu-latest
    strategy: { matrix: { n: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] } }
    steps: [{ run: make }]
  last:
    needs: each
    runs-on: ubuntu-latest
    steps: [{ run: make }]
`;

test("kills all over a run cost no job and no line, and do nothing twice", async () => {
  const given = await options(many);
  let control = await spawnControl(given);
  await using _last = { [Symbol.asyncDispose]: () => control.kill() };
  await accept(control.url, "event-1");
  const runners = ["one", "two"].map((name) => new RunnerFake(name, control.url));
  const finished: string[] = [];
  const over = new AbortController();
  const working = runners.map((runner) => work(runner, finished, over));
  for (const pause of [5, 20, 50, 80]) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    assert.ok(finished.length < jobCount, "the run goes on while control is killed");
    await control.kill();
    control = await spawnControl(given);
    for (const runner of runners) runner.url = control.url;
  }
  await Promise.all(working);
  const run = await only(runsAt(control.url));
  assert.equal(run.conclusion, "success");
  assert.ok(run.jobs.every((job) => job.tries === 1 && job.conclusion === "success"));
  assert.deepEqual(finished.toSorted(), run.jobs.map((job) => job.id).toSorted());
  await control.kill();
  await using quiet = await startControl(given);
  for (const job of run.jobs) {
    const lines: string[] = [];
    for await (const { text } of quiet.workflows.logs(job.id, { signal })) lines.push(text);
    assert.deepEqual(
      lines,
      Array.from({ length: lineCount }, (_, i) => `${job.id} ${i}`),
    );
  }
});

const jobCount = 13;
const lineCount = 50;

/** Takes jobs and logs their lines one at a time, until all jobs have ended. */
async function work(runner: RunnerFake, finished: string[], over: AbortController): Promise<void> {
  for (let claims = 0; !over.signal.aborted; claims++) {
    const claimId = `${runner.name}-${claims}`;
    const body = { runnerId: runner.name, name: runner.name, labels: ["ubuntu-latest"], claimId };
    const job = await persist<JobAssignment>(() => runner.post("/claim", body, over.signal), over.signal);
    if (job === undefined) return;
    for (let line = 0; line < lineCount; line++) {
      assert.equal(await sendLine(runner, job, line, over.signal), line + 1);
    }
    const end = { lease: job.lease, conclusion: "success", outputs: {}, annotations: [], summary: "", steps: [] };
    await persist(() => runner.post(`/jobs/${job.jobId}/complete`, end), over.signal);
    finished.push(job.jobId);
    if (finished.length === jobCount) over.abort();
  }
}

async function sendLine(runner: RunnerFake, job: JobAssignment, line: number, over: AbortSignal): Promise<number> {
  const lines = [{ time: "2026-01-01T00:00:00.000Z", text: `${job.jobId} ${line}` }];
  const request = { lease: job.lease, step: 1, firstLine: line, lines };
  const reply = await persist<LogResponse>(() => runner.post(`/jobs/${job.jobId}/log`, request), over);
  return reply?.acknowledged ?? 0;
}

/** Asks again until there is an answer, as a runner does; undefined when it is over. */
async function persist<T>(ask: () => Promise<Response>, over: AbortSignal): Promise<T | undefined> {
  for (;;) {
    try {
      const response = await ask();
      assert.equal(response.status, 200);
      return (await response.json()) as T;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      if (over.aborted) return undefined;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
