/** Story: deployments wait for the people and branches that their environment asks for, and say what became of them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Browser } from "playwright-core";
import type { DeploymentSummary, EnvironmentSummary, PendingReview, RecordedEvent, RunDetail, RunSummary } from "#api";
import { openBrowser, openPage, skipWithoutBrowser } from "../support/browser.ts";
import { skipWithout } from "../support/needs.ts";
import { type Finished, run } from "../support/run-command.ts";
import { cliCommand, startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { until } from "../support/until.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

const workflow = `
name: Production Pipeline
on: { push: {}, workflow_dispatch: {} }
jobs:
  build:
    runs-on: ubuntu-latest
    steps: [{ run: echo "built" }]
  deploy-staging:
    name: Deploy to Staging
    needs: build
    runs-on: ubuntu-latest
    environment: staging
    steps: [{ run: 'echo "staging knows \${#KEY} characters"', env: { KEY: "\${{ secrets.DEPLOY_KEY }}" } }]
  deploy-prod:
    name: Deploy to Production
    needs: deploy-staging
    runs-on: ubuntu-latest
    environment: { name: production, url: "https://shop.example.com/\${{ github.sha }}" }
    steps:
      - run: 'echo "production knows \${#KEY} characters in \${{ vars.REGION }}"'
        env: { KEY: "\${{ secrets.DEPLOY_KEY }}" }
`;

const repository = "acme/shop";
const production = `/repositories/${repository}/environments/production`;

describe("Given an environment with rules", { skip: skipWithoutBrowser() || skipWithout("git") }, () => {
  let tidegate: Tidegate;
  let browser: Browser;
  let work: WorkCopy;
  /** A reviewer, by a token that is good for this repository alone, and by one for the console. */
  let mira: string;
  let miraEverywhere: string;

  before(async () => {
    tidegate = await startTidegate({ jobs: 2 });
    browser = await openBrowser();
    work = await newRepository(tidegate, repository);
    const token = async (scope: string): Promise<string> =>
      (await tidegate.api<{ secret: string }>("/tokens", { method: "POST", body: { name: "mira", scopes: [scope] } }))
        .secret;
    mira = await token(`deployments:write:${repository}`);
    miraEverywhere = await token("api:write");
    const rules = ["--reviewer", "mira", "--reviewer", "team:platform", "--prevent-self-review", "--branch", "main"];
    await tidegate.cli(["environment", "set", repository, "production", ...rules]);
    const scoped = (kind: string, value: object): Promise<unknown> =>
      tidegate.api(`/${kind}/${repository}?environment=production`, { method: "PUT", body: value });
    await scoped("secrets", { name: "DEPLOY_KEY", value: "sesame-open" });
    await scoped("variables", { name: "REGION", value: "north" });
  });
  after(async () => {
    await browser?.close();
    await tidegate[Symbol.asyncDispose]();
  });

  /** The command line with the token of somebody else. */
  const cliOf = (secret: string, args: readonly string[], code = 0): Promise<Finished> => {
    const [program, words] = cliCommand(args);
    const env = { ...tidegate.env, TIDEGATE_URL: tidegate.url, TIDEGATE_TOKEN: secret };
    return run(program, words, { env, cwd: tidegate.scratch, code });
  };
  const runOf = (sha: string, accept: (found: RunDetail) => boolean): Promise<RunDetail> =>
    until(tidegate, `the run of ${sha}`, async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>(`/runs?sha=${sha}`);
      const [newest] = items;
      const found = newest === undefined ? undefined : await tidegate.api<RunDetail>(`/runs/${newest.id}`);
      if (found !== undefined && accept(found)) return found;
      throw new Error(`The runs are ${JSON.stringify(found ?? items)}`);
    });
  const held = (found: RunDetail): boolean => found.held === true;
  const ended = (found: RunDetail): boolean => found.status === "completed";
  const pushed = async (message: string): Promise<string> => {
    const sha = await work.commit(message, { ".github/workflows/deliver.yml": workflow });
    await work.git(["push", "--quiet", "origin", "HEAD:main"]);
    return sha;
  };
  const states = async (): Promise<readonly string[]> =>
    (
      await tidegate.api<{ items: DeploymentSummary[] }>(
        `/repositories/${repository}/deployments?environment=production`,
      )
    ).items.map(({ state }) => state);
  let first: RunDetail;

  test("when a push gets there, then the run stops at it, and says for whom", async () => {
    first = await runOf(await pushed("Open the shop"), held);
    assert.deepEqual(
      first.jobs.map(({ name, conclusion, held: waits }) => [name, conclusion ?? waits]),
      [
        ["build", "success"],
        ["Deploy to Staging", "success"],
        ["Deploy to Production", true],
      ],
    );
    const shown = (await tidegate.cli(["runs", first.id])).stdout;
    assert.match(shown, /^waiting {2}Deploy to Production: Waits for mira or team platform to approve/m);
    assert.match(
      (await tidegate.cli(["runs", "pending", first.id])).stdout,
      /^production +Deploy to Production +mira or team:platform +- +\d+s +with --force$/m,
    );
    assert.match((await tidegate.cli(["environment", "list", repository])).stdout, /staging +none +success .*\n?/);
    assert.deepEqual(await states(), ["waiting"]);
  });

  test("when the control process is killed meanwhile, then the run waits on", async () => {
    const pid = await tidegate.controlPid();
    process.kill(pid, "SIGKILL");
    // It notes its pid once it listens; nobody who could announce that lives through the kill.
    while ((await tidegate.controlPid()) === pid) await setTimeout(50);
    const { items } = await tidegate.api<{ items: PendingReview[] }>(`/runs/${first.id}/pending`);
    assert.deepEqual(
      items.map(({ environment, jobs }) => [environment.name, jobs.length]),
      [["production", 1]],
    );
  });

  test("when its reviewer approves on the command line, then it goes on with the secrets of the environment", async () => {
    const refused = await tidegate.cli(["runs", "approve", first.id], 1);
    assert.match(
      refused.stderr,
      /"admin" does not review "production": its reviewers are mira, team platform.*--force/,
    );
    const approved = await cliOf(mira, ["runs", "approve", first.id, "--comment", "Checked on staging"]);
    assert.match(approved.stdout, /^production: approved by mira for Deploy to Production: Checked on staging$/m);
    const run = await runOf(first.sha, ended);
    assert.equal(run.conclusion, "success");
    const log = async (job: string): Promise<string> => (await tidegate.cli(["logs", run.id, "--job", job])).stdout;
    assert.match(await log("Deploy to Production"), /^production knows 11 characters in north$/m);
    assert.match(await log("Deploy to Staging"), /^staging knows 0 characters$/m);
    const shown = (await tidegate.cli(["environment", "show", repository, "production"])).stdout;
    assert.match(
      shown,
      /reviewers +mira, team:platform, not of their own runs\n +wait timer +none\n +deploys from +branches main; tags none/,
    );
    assert.match(
      shown,
      new RegExp(
        `success +${first.sha.slice(0, 7)} +main +admin +${first.id} .*https://shop\\.example\\.com/${first.sha}`,
      ),
    );
    const trace = await tidegate.api<{ events: RecordedEvent[] }>(`/trace/run:${first.id}`);
    const approval = trace.events.find(({ kind }) => kind === "approval");
    assert.deepEqual(
      [approval?.actor, approval?.data["environment"], approval?.data["comment"]],
      ["mira", "production", "Checked on staging"],
    );
  });

  test("when its reviewer approves in the console, then the page moves on without a reload", async () => {
    const waiting = await runOf(await pushed("Show prices"), held);
    const codes = await fetch(`${tidegate.url}/api/tidegate/v1/login-codes`, {
      method: "POST",
      headers: { authorization: `Bearer ${miraEverywhere}`, "content-type": "application/json" },
      body: "{}",
    });
    await using opened = await openPage(browser);
    const { page, problems } = opened;
    await page.goto(((await codes.json()) as { url: string }).url);
    await page.goto(`${tidegate.url}/runs/${waiting.id}`);
    const panel = page.getByRole("region", { name: "Deployments to environments" });
    await panel.getByRole("button", { name: "Approve" }).click();
    await page.getByRole("dialog").getByLabel("Comment").fill("Prices are right");
    await page.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
    await panel.getByText("Prices are right").waitFor();
    assert.equal((await runOf(waiting.sha, ended)).conclusion, "success");
    await page.getByText("passed", { exact: true }).first().waitFor();
    assert.deepEqual(problems, []);
    assert.deepEqual(await states(), ["success", "inactive"]);
  });

  test("when it is rejected, then the run fails with who and why, and a re-run asks again", async () => {
    const waiting = await runOf(await pushed("Deploy on a Friday"), held);
    await cliOf(mira, ["runs", "reject", waiting.id, "--environment", "production", "--comment", "Not on a Friday"]);
    const run = await runOf(waiting.sha, ended);
    assert.deepEqual(
      [run.conclusion, run.jobs.at(-1)?.message],
      ["failure", 'Rejected for "production" by mira: Not on a Friday'],
    );
    await tidegate.cli(["runs", "rerun", run.id, "--failed"]);
    const again = await runOf(waiting.sha, held);
    assert.equal(again.attempt, 2);
    // As an administrator, who is no reviewer: recorded as such.
    assert.match(
      (await tidegate.cli(["runs", "approve", run.id, "--force"])).stdout,
      /approved by admin, passing the rules over/,
    );
    assert.equal((await runOf(waiting.sha, ended)).conclusion, "success");
  });

  test("when its reviewer started the run, then somebody else has to approve", async () => {
    await cliOf(miraEverywhere, ["workflow", "run", repository, "deliver.yml"]);
    const sha = (await work.git(["rev-parse", "HEAD"])).stdout.trim();
    const waiting = await runOf(sha, (found) => held(found) && found.event === "workflow_dispatch");
    const refused = await cliOf(mira, ["runs", "approve", waiting.id], 1);
    assert.match(refused.stderr, /"mira" started the run, and "production" does not let people review their own/);
    await tidegate.cli(["runs", "cancel", waiting.id]);
    assert.equal((await runOf(sha, ended)).conclusion, "cancelled");
  });

  test("when another branch would deploy, then it is refused at once, with the branches that may", async () => {
    const sha = await work.commit("Try something", { "note.txt": "x" });
    await work.git(["push", "--quiet", "origin", "HEAD:refs/heads/feature/try"]);
    const run = await runOf(sha, ended);
    assert.deepEqual(
      [run.conclusion, run.jobs.at(-1)?.message],
      [
        "failure",
        'Branch "feature/try" may not deploy to "production": branches that may are main, tags none. Deploy from one of them, or change the environment',
      ],
    );
  });

  test("when somebody else asks, then no rule is changed and nothing is approved", async () => {
    assert.match(
      (await cliOf(miraEverywhere, ["environment", "set", repository, "production", "--no-reviewers"], 1)).stderr,
      /needs the scope admin/,
    );
    assert.match((await cliOf(mira, ["runs", "cancel", first.id], 1)).stderr, /needs the scope api:write/);
    const body = { name: "mira", scopes: ["deployments:write:acme/other"] };
    const { secret } = await tidegate.api<{ secret: string }>("/tokens", { method: "POST", body });
    assert.match(
      (await cliOf(secret, ["runs", "approve", first.id], 1)).stderr,
      /needs the scope api:write or deployments:write:acme\/shop/,
    );
    assert.match(
      (await tidegate.cli(["environment", "set", repository, "production", "--branch", "x", "--any-branch"], 2)).stderr,
      /one of the three/,
    );
    assert.match(
      (await tidegate.cli(["environment", "set", repository, "production", "--wait-timer", "50000"], 1)).stderr,
      /waitMinutes: .* from 0 to 43200/,
    );
    const { reviewers, branches } = await tidegate.api<EnvironmentSummary>(production);
    assert.deepEqual([reviewers, branches], [["mira", "team:platform"], ["main"]]);
  });

  test("when a client of GitHub's REST API reviews and sets rules, then it finds what it knows", async () => {
    const sha = await pushed("Show the shop to robots");
    const waiting = await runOf(sha, held);
    const rest = async (secret: string, path: string, method = "GET", body?: unknown): Promise<Response> =>
      await fetch(`${tidegate.url}/api/v3/repos/${repository}${path}`, {
        method,
        headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const pendingPath = `/actions/runs/${waiting.id}/pending_deployments`;
    const [pending] = (await (await rest(mira, pendingPath)).json()) as {
      environment: { id: number; name: string };
      current_user_can_approve: boolean;
      reviewers: { type: string; reviewer: { id: number; login?: string; slug?: string } }[];
    }[];
    assert.deepEqual([pending?.environment.name, pending?.current_user_can_approve], ["production", true]);
    assert.deepEqual(
      pending?.reviewers.map(({ type, reviewer }) => [type, reviewer.login ?? reviewer.slug]),
      [
        ["User", "mira"],
        ["Team", "platform"],
      ],
    );
    const review = { environment_ids: [pending?.environment.id], state: "approved", comment: "By program" };
    assert.equal((await rest(tidegate.adminToken, pendingPath, "POST", review)).status, 403);
    const wrong = { ...review, environment_ids: [0] };
    assert.equal((await rest(mira, pendingPath, "POST", wrong)).status, 422);
    const given = await rest(mira, pendingPath, "POST", review);
    assert.deepEqual([given.status, ((await given.json()) as { sha: string }[]).map((one) => one.sha)], [200, [sha]]);
    assert.equal((await runOf(sha, ended)).conclusion, "success");
    const approvals = (await (await rest(mira, `/actions/runs/${waiting.id}/approvals`)).json()) as {
      state: string;
      comment: string;
      user: { login: string };
    }[];
    assert.deepEqual(
      approvals.map(({ state, comment, user }) => [state, comment, user.login]),
      [["approved", "By program", "mira"]],
    );

    const reviewers = [{ type: "User", id: pending?.reviewers[0]?.reviewer.id }];
    const rules = {
      wait_timer: 5,
      reviewers,
      deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
    };
    assert.equal((await rest(miraEverywhere, "/environments/canary", "PUT", rules)).status, 403);
    assert.equal((await rest(tidegate.adminToken, "/environments/canary", "PUT", rules)).status, 200);
    const policies = "/environments/canary/deployment-branch-policies";
    const policy = (await (await rest(tidegate.adminToken, policies, "POST", { name: "v*", type: "tag" })).json()) as {
      id: number;
    };
    const canary = await tidegate.api<EnvironmentSummary>(`/repositories/${repository}/environments/canary`);
    assert.deepEqual(
      [canary.waitMinutes, canary.reviewers, canary.branchPolicy, canary.tags],
      [5, ["mira"], "selected", ["v*"]],
    );
    assert.equal((await rest(tidegate.adminToken, `${policies}/${policy.id}`, "DELETE")).status, 204);
    assert.equal(
      (await rest(tidegate.adminToken, "/environments/canary", "PUT", { reviewers: [{ type: "User", id: 7 }] })).status,
      422,
    );
    assert.equal((await rest(tidegate.adminToken, "/environments/canary", "DELETE")).status, 204);
  });

  test("when a program records a deployment of its own, then the workflow that waits for it starts", async () => {
    const told = `on: deployment_status\njobs: { tell: { runs-on: ubuntu-latest, steps: [{ run: 'echo "\${{ github.event.deployment_status.state }} in \${{ github.event.deployment.environment }}"' }] } }\n`;
    const sha = await work.commit("Tell", { ".github/workflows/tell.yml": told, ".github/workflows/deliver.yml": "" });
    await work.git(["push", "--quiet", "origin", "HEAD:main"]);
    const path = `/repositories/${repository}/deployments`;
    const made = await tidegate.api<DeploymentSummary>(path, { method: "POST", body: { environment: "demo" } });
    assert.deepEqual([made.state, made.sha, made.ref], ["pending", sha, "refs/heads/main"]);
    const status = { state: "success", environmentUrl: "https://demo.example.com" };
    await tidegate.api(`${path}/${made.id}/statuses`, { method: "POST", body: status });
    const run = await runOf(sha, ended);
    assert.match((await tidegate.cli(["logs", run.id, "--job", "tell"])).stdout, /^success in demo$/m);
    await assert.rejects(
      tidegate.api(`${path}/${made.id}/statuses`, { method: "POST", body: { state: "waiting" } }),
      /A status is one of pending/,
    );
  });

  test("when the environment is deleted, then its secrets go with it", async () => {
    await tidegate.cli(["environment", "delete", repository, "production"]);
    const { items } = await tidegate.api<{ items: unknown[] }>(`/secrets/${repository}?environment=production`);
    assert.deepEqual(items, []);
    assert.match(
      (await tidegate.cli(["environment", "show", repository, "production"], 1)).stderr,
      /no environment "production"/,
    );
  });
});
