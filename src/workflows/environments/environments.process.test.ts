/** Environments over the real tables: gates, reviews, deployments, and what a death in between leaves of them. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Identity } from "#api";
import {
  allRuns,
  pushEvent,
  RunnerFake,
  spawnControl,
  startControl,
  type Control,
  type ControlOptions,
} from "../testing.ts";
import type { RunDetails } from "../run/view.ts";

const deploy = `
on: push
jobs:
  build: { runs-on: ubuntu-latest, steps: [{ run: make }] }
  deploy:
    needs: build
    runs-on: ubuntu-latest
    environment: { name: Production, url: "https://shop.example.com" }
    steps: [{ run: make }]
`;
const direct =
  "on: push\njobs:\n  deploy: { runs-on: ubuntu-latest, environment: production, steps: [{ run: make }] }\n";

const repository = "shop/web";
const signal = AbortSignal.timeout(90_000);
const ada: Identity = { name: "ada", scopes: ["api:write"] };
const bob: Identity = { name: "bob", scopes: ["api:write"] };
const root: Identity = { name: "root", scopes: ["admin"] };

let folder: string;
let number = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "environments-"));
});
after(async () => await rm(folder, { recursive: true, force: true }));

async function options(text: string, more: Partial<ControlOptions> = {}): Promise<ControlOptions> {
  number += 1;
  const own = await mkdtemp(join(folder, `${number}-`));
  return { folder: own, files: { ".github/workflows/ci.yml": text }, leaseMs: 30_000, ...more };
}

async function newest(control: Control): Promise<RunDetails> {
  const [run] = await allRuns(control.workflows);
  assert.ok(run !== undefined);
  return run;
}

function job(run: RunDetails, key = "deploy"): RunDetails["jobs"][number] {
  const found = run.jobs.find((one) => one.key === key);
  assert.ok(found !== undefined);
  return found;
}

/** A run that has come to its gate. */
async function atGate(control: Control, settings: object, event = "event-1"): Promise<string> {
  await control.workflows.environments.set(repository, "production", settings, "root");
  const [id = ""] = await control.workflows.accept(pushEvent(event), { signal });
  return id;
}

const approve = { state: "approved", comment: "", force: false } as const;

describe("a job that deploys to a protected environment", () => {
  test("waits for its reviewer, gets the environment's secrets only then, and leaves a deployment", async () => {
    await using control = await startControl(await options(deploy));
    const { workflows } = control;
    const runner = new RunnerFake("one", control.url);
    const id = await atGate(control, { reviewers: ["bob", "team:platform"] });
    await runner.complete(await runner.claim("a"), "success");
    const waiting = await newest(control);
    assert.match(waiting.message ?? "", /Waits for bob or team platform to approve the deployment to "production"/);
    assert.deepEqual([job(waiting).status, job(waiting).message], ["waiting", waiting.message]);
    const [pending, ...others] = await workflows.reviews.pending(id, bob);
    assert.deepEqual([pending?.environment.name, pending?.mayReview, others], ["production", true, []]);
    assert.deepEqual(
      pending?.jobs.map(({ name }) => name),
      ["deploy"],
    );

    await assert.rejects(
      workflows.reviews.give(id, { ...approve, by: ada }),
      /"ada" does not review "production": its reviewers are bob, team platform/,
    );
    await assert.rejects(workflows.reviews.give(id, { ...approve, by: ada, force: true }), /only an administrator may/);
    await assert.rejects(
      workflows.reviews.give(id, { ...approve, by: root }),
      /As an administrator you may pass the rules over: --force/,
    );
    await assert.rejects(
      workflows.reviews.give(id, { ...approve, by: bob, environments: ["staging"] }),
      /nothing of it waits for "staging"\. What waits is for production/,
    );
    const given = await workflows.reviews.give(id, { ...approve, by: bob, comment: "Looks good" });
    assert.deepEqual(
      given.map(({ environment, actor, comment, jobs }) => [environment, actor, comment, jobs]),
      [["production", "bob", "Looks good", ["deploy"]]],
    );
    await assert.rejects(workflows.reviews.give(id, { ...approve, by: bob }), /no job of it waits/);

    const claimed = await runner.claim("b");
    assert.equal(claimed.secrets["PASSWORD"], "s3cret of Production");
    assert.deepEqual(claimed.environment, { name: "Production", deployment: true, url: "https://shop.example.com" });
    const end = {
      lease: claimed.lease,
      conclusion: "success",
      outputs: {},
      annotations: [],
      summary: "",
      steps: [],
      environmentUrl: "https://shop.example.com",
    };
    assert.equal((await runner.post(`/jobs/${claimed.jobId}/complete`, end)).status, 200);
    const [deployment] = await workflows.deployments.list(repository, { environment: "PRODUCTION" });
    assert.deepEqual(
      [deployment?.state, deployment?.runId, deployment?.environmentUrl, deployment?.production],
      ["success", id, "https://shop.example.com", true],
    );
    const statuses = (await workflows.deployments.statuses(repository, deployment?.id ?? 0)) ?? [];
    assert.deepEqual(statuses.map(({ state }) => state).reverse(), ["waiting", "queued", "in_progress", "success"]);
    assert.deepEqual(await workflows.reviews.list(id), given);
  });

  test("fails when it is rejected, and a re-run asks again", async () => {
    await using control = await startControl(await options(direct));
    const { workflows } = control;
    const id = await atGate(control, { reviewers: ["bob"] });
    await workflows.reviews.give(id, { state: "rejected", comment: "Not on a Friday", force: false, by: bob });
    const run = await newest(control);
    assert.deepEqual(
      [run.conclusion, job(run).message],
      ["failure", 'Rejected for "production" by bob: Not on a Friday'],
    );
    assert.deepEqual(
      (await workflows.deployments.list(repository)).map(({ state }) => state),
      ["failure"],
    );
    await workflows.rerun(id, { actor: "ada", failedOnly: true });
    assert.equal(job(await newest(control)).status, "waiting");
    await workflows.reviews.give(id, { ...approve, by: bob });
    assert.equal(job(await newest(control)).status, "queued");
    assert.deepEqual(
      (await workflows.reviews.list(id)).map(({ attempt, state }) => [attempt, state]),
      [
        [1, "rejected"],
        [2, "approved"],
      ],
    );
  });

  test("is held against the branch policy at once, and by changed rules while it waits", async () => {
    await using control = await startControl(await options(direct));
    const { workflows } = control;
    await atGate(control, { branchPolicy: "selected", branches: ["release/*"] });
    assert.match(job(await newest(control)).message ?? "", /^Branch "main" may not deploy to "production"/);
    await atGate(control, { branchPolicy: "protected", branches: [], reviewers: ["bob"] }, "event-2");
    assert.equal(job(await newest(control)).status, "waiting");
    await workflows.environments.set(repository, "production", { reviewers: [] }, "root");
    assert.equal(job(await newest(control)).status, "queued");
    await atGate(control, { reviewers: ["bob"] }, "event-3");
    await workflows.environments.delete(repository, "Production");
    assert.match(job(await newest(control)).message ?? "", /was deleted while the job waited/);
  });

  test("does not let people review what they started, where it says so; an administrator passes that over", async () => {
    await using control = await startControl(await options(direct));
    const { workflows } = control;
    const id = await atGate(control, { reviewers: ["ada", "root"], preventSelfReview: true });
    await assert.rejects(workflows.reviews.give(id, { ...approve, by: ada }), /"ada" started the run/);
    await workflows.reviews.give(id, { ...approve, by: root, force: true });
    assert.deepEqual(
      (await workflows.reviews.list(id)).map(({ forced }) => forced),
      [true],
    );
    assert.equal(job(await newest(control)).status, "queued");
  });

  test("takes the place of the deployment before it, whose state says so", async () => {
    await using control = await startControl(await options(direct));
    const runner = new RunnerFake("one", control.url);
    for (const event of ["event-1", "event-2"]) {
      await control.workflows.accept(pushEvent(event), { signal });
      await runner.complete(await runner.claim(event), "success");
    }
    const deployments = await control.workflows.deployments.list(repository);
    assert.deepEqual(
      deployments.map(({ state }) => state),
      ["success", "inactive"],
    );
    const [environment] = await control.workflows.environments.list(repository);
    assert.deepEqual(
      [environment?.name, environment?.active?.id, environment?.reviewers],
      ["production", deployments[0]?.id, []],
    );
  });

  test("of wrong settings every one is told, and none is taken", async () => {
    await using control = await startControl(await options(direct));
    const wrong = { reviewers: ["run/1", "a b:c"], waitMinutes: 50_000, branchPolicy: "some", colour: "red" };
    await assert.rejects(control.workflows.environments.set(repository, "production", wrong, "root"), (error: Error) =>
      ["reviewers", "waitMinutes", "branchPolicy", "colour"].every((key) => error.message.includes(`${key}: `)),
    );
    for (const reviewer of ["team:", "team: x", ""]) {
      const set = control.workflows.environments.set(repository, "production", { reviewers: [reviewer] }, "root");
      await assert.rejects(set, /is no reviewer: write the name of a token or user, or team:<group>/);
    }
    const open = { branchPolicy: "selected", branches: ["release/[0-9"] };
    await assert.rejects(control.workflows.environments.set(repository, "production", open, "root"), /nothing closes/);
    await assert.rejects(control.workflows.environments.set(repository, " a", {}, "root"), /no blank at its ends/);
    assert.deepEqual(await control.workflows.environments.list(), []);
  });
});

describe("a control process that dies while a job waits", () => {
  test("leaves the job at its gate, and an approval that was written counts when it is back", async () => {
    const given = await options(direct);
    {
      await using control = await startControl(given);
      await control.workflows.environments.set(repository, "production", { reviewers: ["bob"] }, "root");
    }
    {
      await using mortal = await spawnControl(given);
      const body = JSON.stringify(pushEvent("event-1"));
      const response = await fetch(`${mortal.url}/test/accept`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      assert.equal(response.status, 200);
      await mortal.kill();
    }
    {
      await using control = await startControl(given);
      assert.equal(job(await newest(control)).status, "waiting");
    }
    // It died right after the approval was committed, before the job went on.
    using database = new DatabaseSync(join(given.folder, "control.db"));
    database.exec(`INSERT INTO workflows_reviews (run_id, attempt, environment, jobs_json, state, actor, comment, forced, at)
      VALUES (1, 1, 'production', '["deploy"]', 'approved', 'bob', '', 0, 0)`);
    database.exec("UPDATE workflows_gates SET review_id = 1");
    await using control = await startControl(given);
    const runner = new RunnerFake("one", control.url);
    const claimed = await runner.claim("a");
    assert.equal(claimed.secrets["PASSWORD"], "s3cret of production");
    await runner.complete(claimed, "success");
    assert.equal((await newest(control)).conclusion, "success");
    const [deployment] = await control.workflows.deployments.list(repository);
    assert.equal(deployment?.state, "success");
  });

  test("does not stop the wait timer", async () => {
    const given = await options(direct);
    {
      await using control = await startControl(given);
      await atGate(control, { waitMinutes: 10 });
      assert.match(job(await newest(control)).message ?? "", /Waits until .* wait 10 min/);
    }
    using database = new DatabaseSync(join(given.folder, "control.db"));
    // All but a moment of the ten minutes passes while nothing runs.
    database.exec("UPDATE workflows_gates SET opened_at = opened_at - 599000");
    await using control = await startControl(given);
    const runner = new RunnerFake("one", control.url);
    assert.equal((await runner.claim("a")).key, "deploy");
  });

  test("tells a deployment that was recorded and not told", async () => {
    const follower =
      "on: [deployment, deployment_status]\njobs:\n  a: { runs-on: ubuntu-latest, steps: [{ run: make }] }\n";
    const given = await options(follower);
    const sha = "5".repeat(40);
    {
      await using control = await startControl(given);
      const made = await control.workflows.deployments.create(
        { repository, ref: "refs/heads/main", sha, environment: "demo", creator: "ada", payload: { x: 1 } },
        { signal },
      );
      await control.workflows.deployments.addStatus(
        repository,
        made.id,
        { state: "success", creator: "ada", environmentUrl: "https://demo.example.com" },
        { signal },
      );
      await control.workflows.deployments.addStatus(
        repository,
        made.id,
        { state: "inactive", creator: "ada" },
        { signal },
      );
      const events = (await allRuns(control.workflows)).map(({ event }) => event);
      assert.deepEqual(events.sort(), ["deployment", "deployment_status"]);
      const fromJob = { repository, ref: "refs/heads/main", sha, environment: "demo", creator: "run/1", byJob: true };
      await control.workflows.deployments.create(fromJob, { signal });
      assert.equal((await allRuns(control.workflows)).length, 2, "what a job does starts no run");
    }
    {
      using database = new DatabaseSync(join(given.folder, "control.db"));
      database.exec("UPDATE workflows_deployments SET told = 0 WHERE id = 2");
    }
    await using control = await startControl(given);
    using notices = control.workflows.subscribe(signal);
    while ((await allRuns(control.workflows)).length < 3) await notices.next();
  });
});

test("old deployments go, but not the newest, nor the one that is active, nor one that goes on", async () => {
  const given = await options(direct);
  const place = { repository, ref: "refs/heads/main", sha: "a".repeat(40), creator: "ada" };
  {
    await using control = await startControl(given);
    const { deployments } = control.workflows;
    // 1 to 3 in "demo", of which 2 is active and 3 is the newest; 4 to 7 in "other", where none succeeded.
    for (const state of ["failure", "success", "failure"] as const) {
      const { id } = await deployments.create({ ...place, environment: "demo" }, { signal });
      await deployments.addStatus(repository, id, { state, creator: "ada" }, { signal });
    }
    for (let left = 4; left > 0; left -= 1) {
      await deployments.create({ ...place, environment: "other" }, { signal });
    }
    await control.workflows.accept(pushEvent("event-1"), { signal });
  }
  const kept = async (retention: { days: number; count: number }, least: number): Promise<readonly number[]> => {
    await using control = await startControl({ ...given, retention });
    for (;;) {
      signal.throwIfAborted();
      const found = await control.workflows.deployments.list(repository, { limit: 100 });
      if (found.length <= least) return found.map(({ id }) => id);
      await setImmediate();
    }
  };
  assert.deepEqual(await kept({ days: 90, count: 2 }, 5), [8, 7, 6, 3, 2]);
  assert.deepEqual(await kept({ days: 0, count: 100 }, 4), [8, 7, 3, 2]);
});
