/** Story: a developer works with the forge through the git on the machine. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { skipWithout } from "../support/needs.ts";
import { run } from "../support/run-command.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { cloneUrl, newRepository, workCopy, type WorkCopy } from "../support/work-copy.ts";

const workflow = `
name: Check
on: push
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - run: echo fine
`;

describe("Given a repository made through the API", { skip: skipWithout("git") }, () => {
  let tidegate: Tidegate;
  let work: WorkCopy;

  before(async () => {
    tidegate = await startTidegate();
    work = await newRepository(tidegate, "acme/web");
  });
  after(() => tidegate[Symbol.asyncDispose]());

  const outside = (args: readonly string[], code = 0): ReturnType<typeof run> =>
    run("git", args, { env: { ...tidegate.env, GIT_TERMINAL_PROMPT: "0" }, cwd: tidegate.scratch, code });

  test("when a commit with a workflow is pushed, then the push names the run and where to see it", async () => {
    const { sha, said } = await work.push("First", { "README.md": "web\n", ".github/workflows/check.yml": workflow });
    const url = /remote: Tidegate: Check #1 (http:\/\/\S+\/runs\/\S+)/.exec(said)?.[1];
    assert.ok(url?.startsWith(`${tidegate.url}/runs/`), said);
    const { items } = await tidegate.api<{ items: { id: string; sha: string; event: string }[] }>("/runs");
    assert.deepEqual(
      items.map((item) => [item.sha, item.event]),
      [[sha, "push"]],
    );
    assert.equal(url, `${tidegate.url}/runs/${items[0]?.id}`);
  });

  test("when it is cloned elsewhere and changed there, then a fetch here brings the change", async () => {
    await outside(["clone", "--quiet", cloneUrl(tidegate, "acme/web"), "second"]);
    const second = workCopy(tidegate, join(tidegate.scratch, "second"));
    assert.equal(await readFile(join(second.folder, "README.md"), "utf8"), "web\n");
    const { sha } = await second.push("Second", { "README.md": "web, changed\n" });
    await work.git(["pull", "--quiet", "origin", "main"]);
    assert.equal((await work.git(["rev-parse", "HEAD"])).stdout.trim(), sha);
  });

  test("when it is cloned shallowly, then only the last commit comes, and more on demand", async () => {
    await outside(["clone", "--quiet", "--depth=1", cloneUrl(tidegate, "acme/web"), "shallow"]);
    const shallow = workCopy(tidegate, join(tidegate.scratch, "shallow"));
    assert.equal((await shallow.git(["rev-list", "--count", "HEAD"])).stdout.trim(), "1");
    await shallow.git(["fetch", "--quiet", "--unshallow"]);
    assert.equal((await shallow.git(["rev-list", "--count", "HEAD"])).stdout.trim(), "2");
  });

  test("when the credential helper of the command line is configured, then git needs no password", async () => {
    const helper = `!node ${join(import.meta.dirname, "..", "..", "src", "cli", "bin.js")} credential`;
    const url = `${tidegate.url}/acme/web`;
    const { stdout } = await outside(["-c", `credential.helper=${helper}`, "ls-remote", url, "refs/heads/main"]);
    assert.match(stdout, /^[\da-f]{40}\trefs\/heads\/main\n$/);
  });

  test("when the token is wrong, of another area or missing, then nothing is read and nothing written", async () => {
    const { secret } = await tidegate.api<{ secret: string }>("/tokens", {
      method: "POST",
      body: { name: "reader", scopes: ["git:read:acme/web"] },
    });
    const wrong = await outside(["clone", cloneUrl(tidegate, "acme/web", "tg_wrong"), "wrong"], 128);
    assert.match(wrong.stderr, /Authentication failed/);
    const none = await outside(["ls-remote", `${tidegate.url}/acme/web`], 128);
    assert.match(none.stderr, /could not read Username/);
    await outside(["ls-remote", cloneUrl(tidegate, "acme/web", secret)]);
    const refused = await work.git(["push", cloneUrl(tidegate, "acme/web", secret), "HEAD:refs/heads/mine"], 128);
    assert.match(refused.stderr, /403/);
    const { stdout } = await outside(["ls-remote", "--heads", cloneUrl(tidegate, "acme/web")]);
    assert.equal(stdout.trim().split("\n").length, 1);
  });

  test("when main is protected, then a direct push, a forced one and a deletion are refused with rule and remedy", async () => {
    const protect = (rule: object): Promise<unknown> =>
      tidegate.api("/repositories/acme/web/protections", { method: "PUT", body: { branch: "main", ...rule } });
    const tip = async (): Promise<string> =>
      (await work.git(["ls-remote", "origin", "refs/heads/main"])).stdout.slice(0, 40);
    const before = await tip();

    await protect({});
    await work.commit("Rewritten");
    await work.git(["reset", "--quiet", "--soft", "HEAD~2"]);
    await work.commit("Other history");
    const forced = await work.git(["push", "--force", "origin", "HEAD:main"], 1);
    assert.match(
      forced.stderr,
      /! \[remote rejected\] HEAD -> main \(protected branch: rule "main" forbids force pushes; pull and rebase/,
    );
    const deleted = await work.git(["push", "origin", ":main"], 1);
    assert.match(deleted.stderr, /rule "main" forbids deletion; change the rule first/);

    await protect({ requirePullRequest: true });
    await work.git(["reset", "--quiet", "--hard", before]);
    await work.commit("Direct");
    const direct = await work.git(["push", "origin", "HEAD:main"], 1);
    assert.match(direct.stderr, /rule "main" requires a pull request; push to another branch and open one/);
    assert.equal(await tip(), before);
    await work.git(["push", "--quiet", "origin", "HEAD:refs/heads/topic"]);
  });

  test("when the server is killed right after a push was acknowledged, then the commit and its run are there", async () => {
    await tidegate.api("/repositories/acme/web/protections", { method: "PUT", body: { branch: "main" } });
    const pid = await tidegate.controlPid();
    const { sha } = await work.push("Kept");
    process.kill(pid, "SIGKILL");
    const { stdout } = await eventually(() => work.git(["ls-remote", "origin", "refs/heads/main"]));
    assert.equal(stdout.slice(0, 40), sha);
    const { items } = await tidegate.api<{ items: { sha: string }[] }>("/runs");
    assert.equal(items.filter((item) => item.sha === sha).length, 1);
  });
});

/** While the control process comes back its port is closed. */
async function eventually<T>(act: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      if (attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
