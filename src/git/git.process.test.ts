import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { noPushChecks, zeroId, type Push } from "./index.ts";
import { commitFiles, git, gitOk, startGitServer, temporaryFolder, type GitServer } from "./testing.ts";

describe("a git server", () => {
  const stack = new AsyncDisposableStack();
  let server: GitServer;
  let work: string;

  before(async () => {
    server = stack.use(await startGitServer());
    work = await temporaryFolder(stack);
  });
  after(() => stack.disposeAsync());

  async function cloneOf(repository: string, folder: string): Promise<string> {
    await gitOk(work, "clone", "--quiet", server.url(repository), folder);
    return join(work, folder);
  }

  async function seeded(repository: string): Promise<string> {
    await server.repositories.create(repository);
    const clone = await cloneOf(repository, repository.replace("/", "-"));
    await gitOk(clone, "checkout", "-q", "-B", "main");
    await commitFiles(clone, { "README.md": "one\n" }, "First");
    await gitOk(clone, "push", "-q", "origin", "main");
    return clone;
  }

  test("a push is recorded with who, what and when, and can be cloned", async () => {
    const clone = await seeded("acme/shop");
    const sha = await gitOk(clone, "rev-parse", "HEAD");

    const update = (await server.repositories.updates.after(0)).find((row) => row.repository === "acme/shop");
    assert.deepEqual(
      {
        ref: update?.ref,
        before: update?.before,
        after: update?.after,
        pusher: update?.pusher,
        forced: update?.forced,
      },
      { ref: "refs/heads/main", before: zeroId, after: sha, pusher: "ada", forced: false },
    );
    const second = await cloneOf("acme/shop.git", "second");
    assert.equal(await readFile(join(second, "README.md"), "utf8"), "one\n");
    assert.equal(await gitOk(second, "branch", "--show-current"), "main");
  });

  test("a commit can be fetched alone by its id", async () => {
    const clone = await seeded("acme/by-id");
    const first = await gitOk(clone, "rev-parse", "HEAD");
    await commitFiles(clone, { "README.md": "two\n" });
    await gitOk(clone, "push", "-q", "origin", "main");
    const shallow = join(work, "shallow");
    await mkdir(shallow);

    await gitOk(shallow, "init", "-q");
    await gitOk(shallow, "-c", "protocol.version=2", "fetch", "-q", "--depth=1", server.url("acme/by-id"), first);

    assert.equal(await gitOk(shallow, "rev-parse", "FETCH_HEAD"), first);
  });

  test("a protected branch refuses a force push and says which rule and what to do", async () => {
    const clone = await seeded("acme/protected");
    await server.repositories.protect("acme/protected", { branch: "main" });
    await gitOk(clone, "commit", "-q", "--amend", "-m", "Rewritten");

    const push = await git(clone, "push", "--force", "origin", "main");

    assert.equal(push.code, 1);
    assert.match(push.err, /! \[remote rejected\] main -> main \(protected branch: rule "main" forbids force pushes;/);
  });

  test("a branch that requires a pull request refuses a push before its objects are stored", async () => {
    const clone = await seeded("acme/reviewed");
    await server.repositories.protect("acme/reviewed", { branch: "{main,release/*}", requirePullRequest: true });
    await commitFiles(clone, { "big.txt": "x".repeat(100_000) });

    const push = await git(clone, "push", "origin", "main", "HEAD:refs/heads/side");

    assert.match(
      push.err,
      /! \[remote rejected\] main -> main \(protected branch: rule "\{main,release\/\*\}" requires/,
    );
    assert.match(push.err, /! \[remote rejected\] HEAD -> side \(not updated: another ref of this push was refused\)/);
    assert.equal(
      await server.repositories.resolve("acme/reviewed", await gitOk(clone, "rev-parse", "HEAD")),
      undefined,
    );
  });

  test("the default branch cannot be deleted, another can", async () => {
    const clone = await seeded("acme/deleting");
    await gitOk(clone, "push", "-q", "origin", "main:side");
    assert.equal((await git(clone, "push", "origin", ":main")).code, 1);
    await gitOk(clone, "push", "-q", "origin", ":side");

    const rows = (await server.repositories.updates.after(0)).filter((row) => row.repository === "acme/deleting");
    assert.deepEqual(
      rows.map((row) => [row.ref, row.after === zeroId]),
      [
        ["refs/heads/main", false],
        ["refs/heads/side", false],
        ["refs/heads/side", true],
      ],
    );
  });

  test("an atomic push of two refs is one push in the record", async () => {
    const clone = await seeded("acme/atomic");
    await commitFiles(clone, { "a.txt": "a" });
    await gitOk(clone, "push", "-q", "--atomic", "origin", "HEAD:main", "HEAD:refs/tags/v1");

    const rows = (await server.repositories.updates.after(0)).filter((row) => row.repository === "acme/atomic");
    assert.deepEqual(
      rows
        .slice(1)
        .map((row) => row.ref)
        .sort(),
      ["refs/heads/main", "refs/tags/v1"],
    );
    assert.equal(new Set(rows.slice(1).map((row) => row.push)).size, 1);
  });

  test("fifty pushes at once to different branches are all taken and each recorded once", async () => {
    const clone = await seeded("acme/many");
    const branches = Array.from({ length: 50 }, (_, index) => `b${index}`);
    await Promise.all(branches.map((branch) => gitOk(clone, "push", "-q", "origin", `HEAD:refs/heads/${branch}`)));

    const rows = (await server.repositories.updates.after(0, 1000)).filter((row) => row.repository === "acme/many");
    assert.deepEqual(rows.map((row) => row.ref).sort(), [...branches, "main"].map((b) => `refs/heads/${b}`).sort());
    const sequences = rows.map((row) => row.sequence);
    assert.deepEqual(
      sequences,
      [...sequences].sort((a, b) => a - b),
    );
  });

  test("no token, a wrong repository and a reading token are told apart only as far as they may know", async () => {
    await seeded("acme/secret");
    const base = `http://127.0.0.1:${server.port}/acme/secret/info/refs?service=`;
    const basic = (token: string): RequestInit => ({ headers: { authorization: `Basic ${btoa(`x:${token}`)}` } });

    const anonymous = await fetch(`${base}git-upload-pack`);
    assert.equal(anonymous.status, 401);
    assert.match(anonymous.headers.get("www-authenticate") ?? "", /^Basic realm="tidegate"/);
    assert.equal((await fetch(`${base}git-upload-pack`, basic("bob=git;read;acme/other"))).status, 404);
    assert.equal((await fetch(`${base}git-receive-pack`, basic("bob=git;read;acme/secret"))).status, 403);
    assert.equal((await fetch(`${base}git-upload-pack`, basic("bob=git;read;acme/secret"))).status, 200);
    assert.equal((await fetch(`${base}git-shell`, basic("ada=admin"))).status, 403);
  });
});

test("the check port reads quarantined files, speaks to the pusher, and its refusal leaves nothing behind", async () => {
  await using stack = new AsyncDisposableStack();
  const seen: Push["updates"][] = [];
  const server = stack.use(
    await startGitServer({
      checks: {
        async check(push) {
          seen.push(push.updates);
          const sha = push.updates[0]?.after ?? "";
          const text = (await push.objects.readFile(sha, "workflow.yml"))?.toString() ?? "";
          const bad = text.includes("bad");
          return {
            messages: [bad ? "workflow.yml:1:1: bad\u001b[31m" : "looks good"],
            refuse: bad ? [{ ref: "refs/heads/main", reason: "workflow.yml is broken" }] : [],
          };
        },
        accepted: (updates) => Promise.resolve([`Tidegate: run started for ${updates[0]?.sequence}`]),
      },
    }),
  );
  const work = await temporaryFolder(stack);
  await server.repositories.create("acme/checked");
  await gitOk(work, "init", "-q", "-b", "main");

  const bad = await commitFiles(work, { "workflow.yml": "bad" });
  const refused = await git(work, "push", server.url("acme/checked"), "main");
  assert.match(refused.err, /remote: workflow.yml:1:1: bad\[31m/);
  assert.match(refused.err, /! \[remote rejected\] main -> main \(workflow.yml is broken\)/);
  assert.equal(await server.repositories.resolve("acme/checked", bad), undefined);
  assert.deepEqual(await server.repositories.updates.after(0), []);

  await commitFiles(work, { "workflow.yml": "good" });
  const taken = await git(work, "push", server.url("acme/checked"), "main");
  assert.equal(taken.code, 0);
  assert.match(taken.err, /remote: looks good/);
  assert.match(taken.err, /remote: Tidegate: run started for 1/);
  assert.equal(seen.length, 2);
  assert.equal(seen[1]?.[0]?.kind, "create");
});

test("a push over the limit is refused with the limit and stores nothing", async () => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startGitServer({ maxPushBytes: 20_000, checks: noPushChecks }));
  const work = await temporaryFolder(stack);
  await server.repositories.create("acme/small");
  await gitOk(work, "init", "-q", "-b", "main");
  const noise = Array.from({ length: 5000 }, (_, index) => Math.sin(index).toString(36)).join("");
  await commitFiles(work, { "noise.txt": noise });

  const push = await git(work, "push", server.url("acme/small"), "main");

  assert.notEqual(push.code, 0);
  assert.match(push.err, /! \[remote rejected\] main -> main \(the push is over the limit of 20000 bytes/);
  assert.deepEqual(await server.repositories.refs("acme/small"), new Map());
});

test("the system's commit survives a branch that moves under it", async () => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startGitServer());
  const work = await temporaryFolder(stack);
  await server.repositories.create("acme/env");
  await gitOk(work, "init", "-q", "-b", "main");
  await commitFiles(work, { "kustomization.yaml": "tag: 1\n", "run.sh": "#!/bin/sh\n" });
  await chmod(join(work, "run.sh"), 0o755);
  await commitFiles(work, {}, "Executable");
  await gitOk(work, "push", "-q", server.url("acme/env"), "main");

  let attempts = 0;
  const request = {
    branch: "main",
    author: { name: "Tidegate", email: "bot@tidegate.localhost" },
    message: "Deploy tag 2",
    trailers: { "Tidegate-Source": "acme/shop@abc" },
    pusher: "tidegate",
    signal: AbortSignal.timeout(30_000),
  };
  const sha = await server.repositories.commit("acme/env", {
    ...request,
    edit: async (files) => {
      if (++attempts === 1) {
        await commitFiles(work, { "other.txt": "by somebody else\n" }, "Meanwhile");
        await gitOk(work, "push", "-q", server.url("acme/env"), "main");
      }
      assert.deepEqual(await files.list(), ["kustomization.yaml", ...(attempts > 1 ? ["other.txt"] : []), "run.sh"]);
      files.write("kustomization.yaml", ((await files.read("kustomization.yaml")) ?? "").replace("1", "2"));
      files.write("run.sh", "#!/bin/sh\nexit 0\n");
    },
  });

  assert.equal(attempts, 2);
  const rows = await server.repositories.updates.after(0);
  assert.deepEqual(
    rows.map((row) => row.pusher),
    ["ada", "ada", "tidegate"],
  );
  assert.equal(rows[2]?.after, sha);
  const commit = await server.repositories.commitInfo("acme/env", sha ?? "");
  assert.equal(commit?.message, "Deploy tag 2\n\nTidegate-Source: acme/shop@abc");
  assert.deepEqual(await server.repositories.changedFiles("acme/env", rows[1]?.after ?? "", sha ?? ""), [
    { path: "kustomization.yaml", status: "modified" },
    { path: "run.sh", status: "modified" },
  ]);
  assert.equal(
    (await server.repositories.readTree("acme/env", sha ?? ""))?.find((e) => e.name === "run.sh")?.type,
    "executable",
  );

  const nothing = await server.repositories.commit("acme/env", {
    ...request,
    edit: (files) => files.write("other.txt", "by somebody else\n"),
  });
  assert.equal(nothing, undefined);

  const folder = join(work, "out");
  await server.repositories.materialise("acme/env", sha ?? "", folder);
  assert.deepEqual((await readdir(folder)).sort(), ["kustomization.yaml", "other.txt", "run.sh"]);
});
