/** What starts runs and what makes them wait, over the real tables: calls, groups, schedules, events of other runs. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, test } from "node:test";
import type { ContextObject, JobAssignment } from "../protocol.ts";
import {
  allRuns,
  pushEvent,
  RunnerFake,
  spawnControl,
  startControl,
  type Control,
  type ControlOptions,
} from "../testing.ts";
import type { WorkflowEvent } from "./event.ts";
import type { RunDetails } from "./view.ts";

const signal = AbortSignal.timeout(90_000);
const sha = "5".repeat(40);
let folder: string;
let number = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "orchestration-"));
});
after(async () => await rm(folder, { recursive: true, force: true }));

async function options(
  files: Readonly<Record<string, string>>,
  more: Partial<ControlOptions> = {},
): Promise<ControlOptions> {
  number += 1;
  const own = await mkdtemp(join(folder, `${number}-`));
  const named = Object.entries(files).map(([name, text]) => [`.github/workflows/${name}.yml`, text]);
  return { folder: own, files: Object.fromEntries(named), leaseMs: 10_000, ...more };
}

const job = "runs-on: ubuntu-latest, steps: [{ run: make }]";

/** The runs, once they are as asked: what follows a run begins after it, in the background. */
async function runsOnce(
  control: Control,
  fits: (runs: readonly RunDetails[]) => boolean,
): Promise<readonly RunDetails[]> {
  using notices = control.workflows.subscribe(signal);
  for (;;) {
    const runs = (await allRuns(control.workflows)).toReversed();
    if (fits(runs)) return runs;
    await notices.next();
  }
}

function told(event: Partial<WorkflowEvent> & { readonly id: string; readonly name: string }): WorkflowEvent {
  return { repository: "shop/web", ref: "refs/heads/main", sha, actor: "ada", ...event } as WorkflowEvent;
}

function payloadOf(assignment: JobAssignment): ContextObject {
  return assignment.contexts.github["event"] as ContextObject;
}

describe("a called workflow", () => {
  const caller = `
on: push
permissions: { contents: write, issues: read }
jobs:
  all:
    uses: ./.github/workflows/called.yml
    with: { level: 2 }
    secrets: inherit
  some:
    needs: all
    uses: shop/shared/.github/workflows/called.yml@v1
    with: { level: "\${{ fromJSON(needs.all.outputs.next) }}" }
    permissions: { contents: read }
    secrets: { KEY: "key-\${{ secrets.PASSWORD }}" }
`;
  const called = `
on:
  workflow_call:
    inputs: { level: { type: number } }
    secrets: { KEY: { required: false } }
    outputs: { next: { value: "\${{ jobs.go.outputs.next }}" } }
env: { LEVEL: "\${{ inputs.level }}", KEY: "\${{ secrets.KEY }}" }
jobs:
  go: { ${job}, outputs: { next: "\${{ steps.x.outputs.y }}" }, environment: staging }
`;

  test("gets its inputs, the secrets it is handed and no more rights than its caller", async () => {
    const control = await startControl(
      await options({ ci: caller, called }, { called: { "shop/shared/.github/workflows/called.yml@v1": called } }),
    );
    await using _control = control;
    await control.workflows.accept(pushEvent("event-1"), { signal });
    const runner = new RunnerFake("one", control.url);
    const first = await runner.claim("a");
    assert.equal(first.name, "all / go");
    assert.deepEqual([first.contexts.inputs, first.contexts.env], [{ level: 2 }, { LEVEL: "2", KEY: "" }]);
    assert.deepEqual(first.secrets, { PASSWORD: "s3cret of staging", GITHUB_TOKEN: "token-1" });
    assert.deepEqual([first.permissions?.["contents"], first.permissions?.["packages"]], ["write", "none"]);
    assert.equal(first.contexts.github["workflow_ref"], "shop/web/.github/workflows/ci.yml@refs/heads/main");
    await runner.complete(first, "success", { next: "3" });
    const second = await runner.claim("b");
    assert.equal(second.name, "some / go");
    // What it is handed, and the secrets of the environment that its job names.
    assert.equal(second.secrets["KEY"], "key-s3cret");
    assert.equal(second.secrets["PASSWORD"], "s3cret of staging");
    assert.deepEqual(second.contexts.env, { LEVEL: "3", KEY: "key-s3cret" });
    assert.deepEqual([second.permissions?.["contents"], second.permissions?.["issues"]], ["read", "none"]);
    assert.deepEqual(second.workflow, {
      repository: "shop/shared",
      path: ".github/workflows/called.yml",
      ref: "v1",
      sha: "7".repeat(40),
    });
    await runner.complete(second, "success");
    const [run] = await allRuns(control.workflows);
    assert.deepEqual(
      run?.jobs.map((one) => [one.name, one.parentId === undefined ? "" : "child", one.conclusion]),
      [
        ["all", "", "success"],
        ["all / go", "child", "success"],
        ["some", "", "success"],
        ["some / go", "child", "success"],
      ],
    );
  });

  test("of another owner has to be shared first", async () => {
    const files = { ci: "on: push\njobs:\n  a: { uses: acme/shared/.github/workflows/called.yml@v1 }\n" };
    const given = await options(files, { called: { "acme/shared/.github/workflows/called.yml@v1": called } });
    await using control = await startControl(given);
    await control.workflows.accept(pushEvent("event-1"), { signal });
    await control.workflows.shareWorkflows({ repository: "Acme/Shared", shared: true, actor: "ada" });
    await control.workflows.accept(pushEvent("event-2"), { signal });
    const [first, second] = (await allRuns(control.workflows)).toReversed();
    assert.match(first?.problems[0]?.message ?? "", /does not let others use it/);
    assert.equal(second?.jobs.length, 2);
  });

  test("by a whole URL is one of this server, or refused by its host", async () => {
    const call = (host: string): string =>
      `on: push\njobs:\n  a: { uses: "http://${host}/shop/shared/.github/workflows/called.yml@v1" }\n`;
    const files = { own: call("tidegate.localhost"), other: call("forge.example.org") };
    const given = await options(files, { called: { "shop/shared/.github/workflows/called.yml@v1": called } });
    await using control = await startControl(given);
    await control.workflows.accept(pushEvent("event-1"), { signal });
    const runs = await allRuns(control.workflows);
    const problems = Object.fromEntries(
      runs.map((run) => [run.workflow.path.split("/").at(-1), run.problems[0]?.message]),
    );
    assert.equal(problems["own.yml"], undefined);
    assert.match(problems["other.yml"] ?? "", /"https:\/\/forge\.example\.org" is none of the hosts/);
  });

  test("runs again where it failed, and keeps what went well", async () => {
    const files = {
      ci: "on: push\njobs:\n  a: { uses: ./.github/workflows/two.yml }\n",
      two: `on: workflow_call\njobs:\n  good: { ${job} }\n  bad: { ${job}, needs: good }\n`,
    };
    await using control = await startControl(await options(files));
    const [runId = ""] = await control.workflows.accept(pushEvent("event-1"), { signal });
    const runner = new RunnerFake("one", control.url);
    await runner.complete(await runner.claim("a"), "success");
    await runner.complete(await runner.claim("b"), "failure");
    await control.workflows.rerun(runId, { failedOnly: true, actor: "ada" });
    const again = await runner.claim("c");
    assert.equal(again.name, "a / bad");
    await runner.complete(again, "success");
    const run = await control.workflows.getRun(runId);
    assert.deepEqual([run?.conclusion, run?.attempt, run?.jobs.length], ["success", 2, 3]);
  });
});

describe("concurrency of jobs", () => {
  test("lets one of a group run at a time, over all runs, and says who waits for whom", async () => {
    const text = `on: push\njobs:\n  first: { ${job} }\n  deploy: { ${job}, concurrency: production }\n`;
    await using control = await startControl(await options({ ci: text.replace(/ {2}first.*\n/, "") }));
    for (const id of ["1", "2", "3"]) await control.workflows.accept(pushEvent(id), { signal });
    const states = async (): Promise<readonly (string | undefined)[]> =>
      (await allRuns(control.workflows)).toReversed().map((run) => run.jobs[0]?.conclusion ?? run.jobs[0]?.status);
    assert.deepEqual(await states(), ["queued", "cancelled", "waiting"]);
    const [third, second] = await allRuns(control.workflows);
    assert.match(second?.jobs[0]?.message ?? "", /run #3 .* took its place in concurrency group "production"/);
    assert.match(
      third?.jobs[0]?.message ?? "",
      /Waits for job "deploy" of run #1 of .* in concurrency group "production"/,
    );
    const runner = new RunnerFake("one", control.url);
    await runner.complete(await runner.claim("a"), "success");
    assert.deepEqual(await states(), ["success", "cancelled", "queued"]);
    await runner.complete(await runner.claim("b"), "success");
    const ends = (await allRuns(control.workflows)).toReversed().map((run) => run.conclusion);
    assert.deepEqual(ends, ["success", "cancelled", "success"]);
  });

  test("of Forgejo's files without a word cancels what a newer push makes stale", async () => {
    const text = `on: push\nenable-openid-connect: true\njobs:\n  a: { ${job} }\n`;
    const given = await options({});
    await using control = await startControl({ ...given, files: { ".forgejo/workflows/ci.yml": text } });
    for (const id of ["1", "2"]) await control.workflows.accept(pushEvent(id), { signal });
    await control.workflows.accept(pushEvent("3", { ref: "refs/heads/other" }), { signal });
    const ends = (await allRuns(control.workflows)).toReversed().map((run) => run.conclusion ?? run.status);
    assert.deepEqual(ends, ["cancelled", "queued", "queued"]);
    const assignment = await new RunnerFake("one", control.url).claim("a");
    assert.equal(assignment.permissions?.["id-token"], "write");
  });

  test("with queue: max keeps all, with cancel-in-progress the newest alone", async () => {
    const text = (rest: string): string => `on: push\njobs:\n  a: { ${job}, concurrency: { group: g, ${rest} } }\n`;
    await using queue = await startControl(await options({ ci: text("queue: max") }));
    for (const id of ["1", "2", "3"]) await queue.workflows.accept(pushEvent(id), { signal });
    const waiting = (await allRuns(queue.workflows)).toReversed().map((run) => run.jobs[0]?.status);
    assert.deepEqual(waiting, ["queued", "waiting", "waiting"]);
    await using newest = await startControl(await options({ ci: text("cancel-in-progress: true") }));
    await newest.workflows.accept(pushEvent("1"), { signal });
    const running = await new RunnerFake("one", newest.url).claim("a");
    await newest.workflows.accept(pushEvent("2"), { signal });
    const beat = await new RunnerFake("one", newest.url).post(`/jobs/${running.jobId}/heartbeat`, {
      lease: running.lease,
    });
    assert.deepEqual(await beat.json(), { cancel: true });
  });
});

describe("events", () => {
  test("of runs start those that follow them, three times at most", async () => {
    const follow = "on: { workflow_run: { workflows: [First, Next], types: [completed], branches: [main] } }";
    const files = {
      ci: `name: First\non: push\njobs:\n  a: { ${job} }\n`,
      next: `name: Next\n${follow}\njobs:\n  b: { ${job} }\n`,
    };
    await using control = await startControl(await options(files));
    await control.workflows.accept(pushEvent("event-1"), { signal });
    const runner = new RunnerFake("one", control.url);
    for (let count = 0; count < 4; count += 1) {
      await runsOnce(control, (runs) => runs.length === count + 1);
      const assignment = await runner.claim(`claim-${count}`);
      if (count === 1) {
        const run = payloadOf(assignment)["workflow_run"] as ContextObject;
        assert.deepEqual(
          [
            run["name"],
            run["conclusion"],
            run["head_branch"],
            run["run_number"],
            assignment.contexts.github["event_name"],
          ],
          ["First", "success", "main", 1, "workflow_run"],
        );
      }
      await runner.complete(assignment, "success");
    }
    const ended = await runsOnce(control, (runs) => runs.every((run) => run.status === "completed"));
    assert.deepEqual(
      ended.map((run) => [run.workflow.name, run.number, run.conclusion]),
      [
        ["First", 1, "success"],
        ["Next", 1, "success"],
        ["Next", 2, "success"],
        ["Next", 3, "success"],
      ],
    );
  });

  test("of a run that ended just before control was killed are told by the next process", async () => {
    const files = {
      ci: `name: First\non: push\njobs:\n  a: { ${job} }\n`,
      next: `name: Next\non: { workflow_run: { workflows: [First], types: [requested] } }\njobs:\n  b: { ${job} }\n`,
    };
    const given = await options(files);
    await using dying = await spawnControl({ ...given, dieAt: "before reply" });
    const event = pushEvent("event-1");
    await fetch(`${dying.url}/test/accept`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(event),
    }).catch(() => {});
    await using control = await startControl(given);
    const runs = await runsOnce(control, (found) => found.length === 2);
    assert.deepEqual(
      runs.map((run) => run.workflow.name),
      ["First", "Next"],
    );
  });

  test("by types, payload and hand: dispatch, release, image, branch", async () => {
    const files = {
      dispatch: `on: { repository_dispatch: { types: [deployed] } }\njobs:\n  a: { ${job} }\n`,
      release: `on: { release: { types: [published] } }\njobs:\n  a: { ${job} }\n`,
      image: `on: registry_package\njobs:\n  a: { ${job} }\n`,
      branch: `on: create\njobs:\n  a: { ${job} }\n`,
    };
    await using control = await startControl(await options(files));
    const events: readonly WorkflowEvent[] = [
      told({ id: "1", name: "repository_dispatch", type: "deployed", clientPayload: { version: "1.2" } } as never),
      told({ id: "2", name: "repository_dispatch", type: "other" } as never),
      told({ id: "3", name: "release", payload: { action: "published", release: { tag_name: "v1" } } }),
      told({ id: "4", name: "release", payload: { action: "created", release: { tag_name: "v1" } } }),
      told({ id: "5", name: "registry_package", payload: { action: "published", registry_package: { name: "web" } } }),
      told({ id: "6", name: "create", payload: { ref: "topic", ref_type: "branch" } }),
    ];
    const started = [];
    for (const event of events) started.push((await control.workflows.accept(event, { signal })).length);
    assert.deepEqual(started, [1, 0, 1, 0, 1, 1]);
    const first = await new RunnerFake("one", control.url).claim("a");
    assert.deepEqual(payloadOf(first)["client_payload"], { version: "1.2" });
    assert.equal(payloadOf(first)["action"], "deployed");
    const titles = (await allRuns(control.workflows)).toReversed().map((run) => run.title);
    assert.deepEqual(titles, ["deployed", "v1", "web", "topic"]);
  });

  test("that a job makes with its own token start nothing, but for a dispatch", async () => {
    const on = "on: { push: {}, repository_dispatch: {} }";
    await using control = await startControl(await options({ ci: `${on}\njobs:\n  a: { ${job} }\n` }));
    assert.deepEqual(await control.workflows.accept(pushEvent("1", { byJob: true }), { signal }), []);
    const event = told({ id: "2", name: "repository_dispatch", type: "x", byJob: true } as never);
    assert.equal((await control.workflows.accept(event, { signal })).length, 1);
  });

  test("do not start a workflow that is disabled", async () => {
    const files = { ci: `on: { push: {}, workflow_dispatch: {} }\njobs:\n  a: { ${job} }\n` };
    await using control = await startControl(await options(files));
    const change = { repository: "shop/web", path: "ci.yml", actor: "ada" };
    await control.workflows.switchWorkflow({ ...change, enabled: false }, { signal });
    assert.deepEqual(await control.workflows.accept(pushEvent("1"), { signal }), []);
    const start = told({ id: "2", name: "workflow_dispatch", workflow: "ci.yml" } as never);
    await assert.rejects(control.workflows.accept(start, { signal }), /is disabled\. Enable it first/);
    await assert.rejects(
      control.workflows.switchWorkflow({ ...change, path: "no.yml", enabled: true }, { signal }),
      /There is no workflow "no\.yml"/,
    );
    await control.workflows.switchWorkflow({ ...change, enabled: true }, { signal });
    assert.equal((await control.workflows.accept(pushEvent("3"), { signal })).length, 1);
  });

  test("of a pull request from elsewhere leave its jobs no secret and a token that only reads", async () => {
    const text = `on: pull_request\npermissions: write-all\njobs:\n  a: { ${job}, environment: staging }\n`;
    await using control = await startControl(await options({ ci: text }));
    const pull = (from: string): ContextObject => ({
      action: "opened",
      pull_request: { base: { ref: "main", sha }, head: { ref: "x", sha, repo: { full_name: from } } },
    });
    const ref = "refs/pull/5/merge";
    await control.workflows.accept(told({ id: "1", name: "pull_request", ref, payload: pull("mallory/web") }), {
      signal,
    });
    await control.workflows.accept(told({ id: "2", name: "pull_request", ref, payload: pull("shop/web") }), { signal });
    const runner = new RunnerFake("one", control.url);
    const foreign = await runner.claim("a");
    assert.deepEqual(Object.keys(foreign.secrets), ["GITHUB_TOKEN"]);
    assert.deepEqual([...new Set(Object.values(foreign.permissions ?? {}))].toSorted(), ["none", "read"]);
    assert.equal(foreign.permissions?.["id-token"], "none");
    const own = await runner.claim("b");
    assert.equal(own.secrets["PASSWORD"], "s3cret of staging");
    assert.deepEqual([own.permissions?.["contents"], own.permissions?.["id-token"]], ["write", "write"]);
  });
});

describe("a schedule", () => {
  const nightly = `name: Nightly\non: { schedule: [{ cron: "30 4 * * *", timezone: Europe/Berlin }] }\njobs:\n  a: { ${job} }\n`;

  /** Lets times pass. */
  function makeDue(home: string): void {
    const database = new DatabaseSync(join(home, "control.db"));
    database.exec(`UPDATE workflows_schedules SET next_at = ${Date.now() - 5 * 86_400_000}`);
    database.close();
  }

  test("whose times passed while control was down runs once, however often control is killed", async () => {
    const given = await options({ nightly });
    {
      await using control = await startControl(given);
      await control.workflows.accept(pushEvent("event-1"), { signal });
      const [view] = await control.workflows.listWorkflows("shop/web", { signal });
      const nextAt = Temporal.Instant.from(view?.schedules[0]?.nextAt ?? "").toZonedDateTimeISO("Europe/Berlin");
      assert.deepEqual([nextAt.hour, nextAt.minute], [4, 30]);
    }
    makeDue(given.folder);
    for (let life = 0; life < 3; life += 1) {
      await using control = await spawnControl(given);
      const deadline = AbortSignal.timeout(20_000);
      for (let found = 0; found === 0;) {
        deadline.throwIfAborted();
        found = ((await (await fetch(`${control.url}/test/runs`)).json()) as unknown[]).length;
      }
      await control.kill();
    }
    await using control = await startControl(given);
    const [run, ...others] = await allRuns(control.workflows);
    assert.deepEqual(others, []);
    assert.deepEqual([run?.event, run?.title, run?.ref], ["schedule", "Nightly", "refs/heads/main"]);
    const [view] = await control.workflows.listWorkflows("shop/web", { signal });
    assert.ok(Temporal.Instant.from(view?.schedules[0]?.nextAt ?? "").epochMilliseconds > Date.now());
  });

  test("goes with its file", async () => {
    const given = await options({ nightly });
    {
      await using control = await startControl(given);
      await control.workflows.accept(pushEvent("event-1"), { signal });
    }
    await using control = await startControl({ ...given, files: {} });
    await control.workflows.accept(pushEvent("event-2"), { signal });
    makeDue(given.folder);
    assert.deepEqual(await control.workflows.listWorkflows("shop/web", { signal }), []);
    const database = new DatabaseSync(join(given.folder, "control.db"));
    assert.equal(database.prepare("SELECT count(*) AS n FROM workflows_schedules").get()?.["n"], 0);
    database.close();
  });
});

test("old runs go with their logs, but for the newest of each workflow", async () => {
  const given = await options({ ci: `on: push\njobs:\n  a: { ${job} }\n` });
  const logsOf = async (id: string): Promise<readonly string[]> =>
    await readdir(join(given.folder, "logs", id)).catch(() => []);
  const ids: string[] = [];
  {
    await using control = await startControl(given);
    const runner = new RunnerFake("one", control.url);
    for (const id of ["1", "2", "3", "4"]) {
      await control.workflows.accept(pushEvent(id), { signal });
      const assignment = await runner.claim(id);
      await runner.sendLog(assignment, 1, 0, ["a line"]);
      await runner.complete(assignment, "success");
      ids.push(assignment.jobId);
    }
  }
  const kept = async (retention: { days: number; count: number }): Promise<readonly number[]> => {
    await using control = await startControl({ ...given, retention });
    const deadline = AbortSignal.timeout(10_000);
    for (let runs = await allRuns(control.workflows); ; runs = await allRuns(control.workflows)) {
      if (runs.length <= (retention.days === 0 ? 1 : retention.count)) return runs.map((run) => run.number);
      deadline.throwIfAborted();
    }
  };
  assert.deepEqual(await kept({ days: 90, count: 3 }), [4, 3, 2]);
  assert.deepEqual(await kept({ days: 0, count: 400 }), [4]);
  const left = await Promise.all(ids.map(logsOf));
  assert.deepEqual(
    left.map((names) => names.length > 0),
    [false, false, false, true],
  );
});

test("kills all over a run with calls and groups cost nothing and do nothing twice", async () => {
  const files = {
    ci: `on: push
concurrency: whole
jobs:
  each: { uses: ./.github/workflows/part.yml, strategy: { matrix: { n: [1, 2, 3] } }, with: { n: "\${{ matrix.n }}" } }
  last: { ${job}, needs: each, concurrency: last }
`,
    part: `on: { workflow_call: { inputs: { n: { type: number } } } }
jobs:
  one: { ${job} }
  two: { ${job}, needs: one, concurrency: { group: "two", queue: max } }
`,
  };
  const given = await options(files);
  let control = await spawnControl(given);
  await using _last = { [Symbol.asyncDispose]: () => control.kill() };
  const runner = new RunnerFake("one", control.url);
  await fetch(`${control.url}/test/accept`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(pushEvent("event-1")),
  });
  const done: string[] = [];
  for (let count = 0; count < 7; count += 1) {
    const assignment = await runner.claim(`claim-${count}`);
    done.push(assignment.name);
    const ending = runner.complete(assignment, "success").catch(() => 0);
    // Somewhere within: before the request is read, while the run advances, or after the answer.
    await new Promise((resolve) => setTimeout(resolve, count * 2));
    await control.kill();
    const status = await ending;
    control = await spawnControl(given);
    runner.url = control.url;
    if (status !== 200) assert.equal(await runner.complete(assignment, "success"), 200);
  }
  const [run] = (await (await fetch(`${control.url}/test/runs`)).json()) as RunDetails[];
  assert.equal(run?.conclusion, "success");
  assert.equal(run?.jobs.length, 10);
  assert.ok(run?.jobs.every((one) => one.conclusion === "success" && one.tries <= 1));
  assert.equal(new Set(done).size, 7);
});
