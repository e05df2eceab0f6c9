/** Story: a private repository of a real Gitea is mirrored; what happens there runs here, and Gitea shows what became of it. */
import assert from "node:assert/strict";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { MirrorView, RunDetail, RunSummary } from "#api";
import { type Gitea, startGitea, withoutGitea } from "../support/gitea.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { until } from "../support/until.ts";
import { workCopy, type WorkCopy } from "../support/work-copy.ts";

const workflow = `
name: Check
on: { push: {}, pull_request: { types: [opened, synchronize, closed] } }
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - env: { SECRET: "\${{ secrets.DEPLOY_KEY }}" }
        run: test -z "$SECRET" && echo "no secret" || echo "a secret"
      - run: test ! -e broken.txt
`;

interface Status {
  readonly status: string;
  readonly context: string;
  readonly description: string;
  readonly target_url: string;
  readonly creator: { readonly login: string };
}

describe("a mirror of a real Gitea", { skip: withoutGitea() }, () => {
  const scopes = ["write:repository", "write:issue", "write:user"];
  let tidegate: Tidegate;
  let gitea: Gitea;
  let ada: string;
  let mallory: string;
  let mirror: MirrorView & { webhookSecret: string };
  let copy: WorkCopy;

  before(async () => {
    tidegate = await startTidegate();
    gitea = await startGitea(join(tidegate.scratch, "gitea"), tidegate.env);
    ada = await gitea.user("ada", scopes);
    mallory = await gitea.user("mallory", scopes);
    const reporter = await gitea.user("reporter", ["write:repository"]);
    const shop = { name: "shop", private: true, default_branch: "main" };
    await gitea.api("/user/repos", { method: "POST", token: ada, body: shop });
    await collaborator("reporter", "write");
    await collaborator("mallory", "read");
    mirror = await tidegate.api("/repositories/acme/shop/mirror", {
      method: "PUT",
      body: { url: `${gitea.url}/ada/shop`, kind: "gitea", token: reporter },
    });
    await webhook(mirror.webhookSecret);
    await tidegate.api("/secrets/acme/shop", {
      method: "PUT",
      body: { name: "DEPLOY_KEY", value: "hunter2-and-more" },
    });
    copy = workCopy(tidegate, await mkdtemp(join(tidegate.scratch, "work-")));
    await copy.git(["init", "--quiet", "--initial-branch=main"]);
    await copy.git(["remote", "add", "origin", gitea.cloneUrl("ada/shop", ada)]);
  });
  after(async () => {
    await gitea[Symbol.asyncDispose]();
    await tidegate[Symbol.asyncDispose]();
  });

  async function collaborator(name: string, permission: string): Promise<void> {
    await gitea.api(`/repos/ada/shop/collaborators/${name}`, { method: "PUT", token: ada, body: { permission } });
  }

  async function webhook(secret: string): Promise<{ readonly id: number }> {
    const config = { url: mirror.webhookUrl, content_type: "json", secret };
    const events = ["push", "create", "delete", "pull_request", "pull_request_sync"];
    const body = { type: "gitea", active: true, events, config };
    return await gitea.api("/repos/ada/shop/hooks", { method: "POST", token: ada, body });
  }

  async function ended(what: Partial<Pick<RunSummary, "event" | "ref" | "sha" | "actor">>): Promise<RunDetail> {
    return await until(tidegate, `a run of ${JSON.stringify(what)}`, async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs?repository=acme/shop");
      const found = items.find(
        (run) =>
          run.status === "completed" && Object.entries(what).every(([key, value]) => Reflect.get(run, key) === value),
      );
      return found === undefined ? undefined : await tidegate.api<RunDetail>(`/runs/${found.id}`);
    });
  }

  async function view(): Promise<MirrorView> {
    return await tidegate.api<MirrorView>("/repositories/acme/shop/mirror");
  }

  /** What Gitea shows of the commit. */
  async function shown(sha: string, event: string, state: string, name = "Check"): Promise<Status> {
    const wanted = `tidegate / ${name} (${event})`;
    return await repeatedly(`"${wanted}" to be ${state}`, async () => {
      const all = await gitea.api<Status[]>(`/repos/ada/shop/commits/${sha}/statuses`, { token: ada });
      return all.find(({ context, status }) => context === wanted && status === state);
    });
  }

  async function logOf(run: RunDetail): Promise<string> {
    const answer = await fetch(`${tidegate.url}/api/tidegate/v1/jobs/${run.jobs[0]?.id ?? ""}/log`, {
      headers: { authorization: `Bearer ${tidegate.adminToken}` },
    });
    return await answer.text();
  }

  async function openPull(head: string, token: string): Promise<{ readonly number: number }> {
    const body = { head, base: "main", title: head };
    return await gitea.api("/repos/ada/shop/pulls", { method: "POST", token, body });
  }

  test("a push runs the workflows, and Gitea shows on the commit what became of them", async () => {
    const { sha } = await copy.push("Check", { ".github/workflows/check.yml": workflow });
    const run = await ended({ event: "push", sha });
    assert.equal(run.conclusion, "success");
    assert.equal(run.actor, "ada");
    assert.match(await logOf(run), /a secret/);
    const status = await shown(sha, "push", "success");
    assert.equal(status.description, `Run #${run.number}: success`);
    assert.equal(status.target_url, `${tidegate.url}/runs/${run.id}`);
    assert.equal(status.creator.login, "reporter");
    const broken = await copy.push("Break", { "broken.txt": "x\n" });
    assert.equal((await ended({ event: "push", sha: broken.sha })).conclusion, "failure");
    assert.match((await shown(broken.sha, "push", "failure")).description, /: failure$/);
    const { state } = await gitea.api<{ state: string }>(`/repos/ada/shop/commits/${broken.sha}/status`, {
      token: ada,
    });
    assert.equal(state, "failure");
    await copy.push("Mend", { "broken.txt": "" });
  });

  test("branches and tags come, move by force, and go", async () => {
    await copy.git(["tag", "--annotate", "--message", "One", "v1"]);
    await copy.git(["push", "--quiet", "origin", "HEAD:refs/heads/topic", "v1"]);
    const tagged = await ended({ event: "push", ref: "refs/tags/v1" });
    assert.equal(tagged.sha, (await copy.git(["rev-parse", "HEAD"])).stdout.trim());
    await ended({ event: "push", ref: "refs/heads/topic" });
    await copy.git(["commit", "--quiet", "--amend", "--allow-empty", "--message", "Otherwise"]);
    const sha = (await copy.git(["rev-parse", "HEAD"])).stdout.trim();
    await copy.git(["push", "--quiet", "--force", "origin", "HEAD:main", ":refs/heads/topic", ":refs/tags/v1"]);
    assert.equal((await ended({ event: "push", sha })).ref, "refs/heads/main");
    await until(tidegate, "only main to be left", async () => {
      const { stdout } = await copy.git(["ls-remote", mirrorUrl()]);
      const names = stdout
        .trim()
        .split("\n")
        .map((line) => line.split("\t")[1]);
      return names.join(" ") === "HEAD refs/heads/main" ? names : undefined;
    });
  });

  function mirrorUrl(): string {
    return `http://ada:${tidegate.adminToken}@127.0.0.1:${tidegate.controlPort}/acme/shop`;
  }

  test("a pull request runs when it is opened, when it moves, and at what it became when it is merged", async () => {
    await copy.git(["checkout", "--quiet", "-b", "feature"]);
    const first = await copy.commit("Feature", { "feature.txt": "1\n" });
    await copy.git(["push", "--quiet", "origin", "feature"]);
    const { number } = await openPull("feature", ada);
    const ref = `refs/pull/${number}/merge`;
    const opened = await ended({ event: "pull_request", ref });
    assert.match(await logOf(opened), /a secret/);
    await shown(first, "pull_request", "success");
    const second = await copy.commit("Feature 2", { "feature.txt": "2\n" });
    await copy.git(["push", "--quiet", "origin", "feature"]);
    await shown(second, "pull_request", "success");
    // Gitea refuses while it still tries the merge itself.
    await repeatedly("Gitea to merge", async () => {
      await gitea.api(`/repos/ada/shop/pulls/${number}/merge`, { method: "POST", token: ada, body: { Do: "merge" } });
      return true;
    });
    const closed = await ended({ event: "pull_request", ref: "refs/heads/main" });
    const { merge_commit_sha: merged } = await gitea.api<{ merge_commit_sha: string }>(
      `/repos/ada/shop/pulls/${number}`,
      { token: ada },
    );
    assert.equal(closed.sha, merged);
    assert.equal((await ended({ event: "push", sha: merged })).ref, "refs/heads/main");
  });

  test("a pull request from somebody's fork runs without secrets", async () => {
    await gitea.api("/repos/ada/shop/forks", { method: "POST", token: mallory, body: {} });
    const fork = workCopy(tidegate, await mkdtemp(join(tidegate.scratch, "fork-")));
    await fork.git(["clone", "--quiet", gitea.cloneUrl("mallory/shop", mallory), "."]);
    const sha = await fork.commit("Mine", { "mine.txt": "1\n" });
    await fork.git(["push", "--quiet", "origin", "HEAD:mine"]);
    const { number } = await openPull("mallory:mine", mallory);
    const run = await ended({ event: "pull_request", ref: `refs/pull/${number}/merge` });
    assert.equal(run.actor, "mallory");
    assert.match(await logOf(run), /no secret/);
    await shown(sha, "pull_request", "success");
  });

  test("a webhook with another secret changes nothing", async () => {
    const hooks = await gitea.api<{ id: number }[]>("/repos/ada/shop/hooks", { token: ada });
    for (const { id } of hooks) await gitea.api(`/repos/ada/shop/hooks/${id}`, { method: "DELETE", token: ada });
    const wrong = await webhook("guessed");
    await copy.git(["checkout", "--quiet", "main"]);
    await copy.git(["pull", "--quiet", "--rebase", "origin", "main"]);
    const { sha } = await copy.push("Unheard", {});
    await gitea.api(`/repos/ada/shop/hooks/${wrong.id}`, { method: "DELETE", token: ada });
    await webhook(mirror.webhookSecret);
    const heard = await copy.push("Heard", {});
    await ended({ event: "push", sha: heard.sha });
    const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs?repository=acme/shop");
    assert.ok(!items.some((run) => run.sha === sha));
  });

  test("statuses that fall due while Gitea is away are told when it is back", async () => {
    const gate = join(tidegate.scratch, "gate");
    const { sha } = await copy.push("Wait", { ".github/workflows/slow.yml": slow(gate) });
    await until(tidegate, "the job to wait", async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs?repository=acme/shop");
      return items.find((run) => run.workflow === "Slow" && run.status === "in_progress");
    });
    await gitea.stop();
    await writeFile(gate, "");
    await until(tidegate, "the job to end", async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs?repository=acme/shop");
      return items.find((run) => run.workflow === "Slow" && run.status === "completed");
    });
    const waiting = await repeatedly("a status to wait", async () => {
      const seen = await view();
      return seen.statusesWaiting > 0 && seen.problem !== undefined ? seen : undefined;
    });
    assert.match(waiting.problem ?? "", /Cannot (?:tell|fetch)/);
    await gitea.start();
    await shown(sha, "push", "success", "Slow");
    assert.equal((await repeatedly("nothing to wait", async () => nothingWaits(await view()))).problem, undefined);
  });

  test("what no webhook told of is found when the server starts again", async () => {
    const hooks = await gitea.api<{ id: number }[]>("/repos/ada/shop/hooks", { token: ada });
    for (const { id } of hooks) await gitea.api(`/repos/ada/shop/hooks/${id}`, { method: "DELETE", token: ada });
    const { sha } = await copy.push("Missed", { ".github/workflows/slow.yml": "" });
    // Gitea refuses while it still looks for licences in the last push.
    const change = { method: "PATCH", token: ada, body: { default_branch: "feature" } };
    await repeatedly("the default branch to change", async () => await gitea.api<object>("/repos/ada/shop", change));
    process.kill(await tidegate.controlPid(), "SIGKILL");
    const run = await repeatedly("the run of what was missed", async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs?repository=acme/shop");
      return items.find((one) => one.sha === sha && one.status === "completed");
    });
    assert.equal(run.conclusion, "success");
    const { defaultBranch } = await tidegate.api<{ defaultBranch: string }>("/repositories/acme/shop");
    assert.equal(defaultBranch, "feature");
  });

  test("a repository that was renamed over there is said to be elsewhere", async () => {
    await gitea.api("/repos/ada/shop", { method: "PATCH", token: ada, body: { name: "store" } });
    const { stderr } = await tidegate.cli(["repo", "fetch", "acme/shop"], 1);
    assert.match(stderr, /it is somewhere else now \(it answers 301\)\. Use its new address/);
  });
});

function nothingWaits(view: MirrorView): MirrorView | undefined {
  return view.statusesWaiting === 0 ? view : undefined;
}

function slow(gate: string): string {
  const wait = `for _ in $(seq 600); do test -e "${gate}" && exit 0; sleep 0.1; done; exit 1`;
  return `name: Slow\non: push\njobs:\n  wait:\n    runs-on: ubuntu-latest\n    steps:\n      - run: ${wait}\n`;
}

/** For what neither server announces. */
async function repeatedly<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = AbortSignal.timeout(90_000);
  let last: unknown = "nothing of the kind was seen";
  while (!deadline.aborted) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
    await delay(200);
  }
  throw new Error(`Waited for ${what}`, { cause: last });
}
