/** Pull requests on real repositories: what conflicts, what moves, and what a crash leaves behind. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type Forge, openForge, type RecordedEvent } from "#forge";
import { openRepositories, type Repositories, type Repository } from "#git";
import { openDatabase, silentLog, systemClock, systemIds } from "#lib";
import { forgeCommits } from "./forge-commits.ts";

const zero = "0".repeat(40);

describe("a pull request", () => {
  let parts: AsyncDisposableStack;
  let repositories: Repositories;
  let forge: Forge;
  let shop: Repository;
  let signal: AbortSignal;
  let folder: string;
  let common: Omit<Parameters<typeof openForge>[0], "folder" | "commits" | "checks">;

  beforeEach(async () => {
    parts = new AsyncDisposableStack();
    signal = AbortSignal.timeout(120_000);
    folder = await mkdtemp(join(tmpdir(), "tidegate-pulls-"));
    parts.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    const database = openDatabase(join(folder, "tidegate.db"));
    parts.defer(() => database.destroy());
    common = { database, clock: systemClock, ids: systemIds, log: silentLog };
    repositories = parts.use(await openRepositories({ ...common, folder: join(folder, "git") }));
    const commits = forgeCommits(repositories);
    const checks = { of: () => Promise.resolve([]) };
    forge = await openForge({ ...common, folder: join(folder, "forge"), commits, checks });
    shop = await repositories.create("acme/shop");
    await write("main", { "a.txt": "1\n2\n3\n4\n5\n", "b.txt": "b\n" });
  });
  afterEach(async () => await parts.disposeAsync());

  async function write(
    branch: string,
    files: Readonly<Record<string, string>>,
    from?: string,
    repository = "acme/shop",
  ): Promise<string> {
    const sha = await repositories.commit(repository, {
      branch,
      ...(from === undefined ? {} : { from }),
      author: { name: "Ada", email: "ada@example.com" },
      message: `Write ${Object.keys(files).join(", ")}`,
      pusher: "ada",
      edit: (tree) => {
        for (const [path, text] of Object.entries(files)) tree.write(path, text);
      },
      signal,
    });
    assert.ok(sha !== undefined);
    return sha;
  }

  async function tell(branch: string, after: string | undefined, repository = shop): Promise<void> {
    await forge.pulls.pushed(repository, { branch, after: () => Promise.resolve(after), pusher: "ada" }, signal);
  }

  async function actions(): Promise<readonly string[]> {
    const events: readonly RecordedEvent[] = await forge.events.after(0);
    return events.map(({ event }) => ("action" in event ? event.action : event.kind));
  }

  const open = async (head = "feature") =>
    await forge.pulls.create(shop, { title: "Change", head, base: "main" }, "ada", signal);

  test("says where it conflicts, cannot be merged then, and can once its head takes the base in", async () => {
    await write("feature", { "a.txt": "one\n2\n3\n4\n5\n" }, "main");
    const pull = await open();
    assert.equal(pull.mergeable, true);
    await tell("main", await write("main", { "a.txt": "uno\n2\n3\n4\n5\n" }));
    const stuck = await forge.pulls.require(shop.id, pull.number);
    assert.equal(stuck.mergeable, false);
    assert.deepEqual(stuck.conflicts, ["a.txt"]);
    assert.equal(stuck.testMergeSha, null);
    await assert.rejects(forge.pulls.merge(shop, 1, { method: "merge" }, "ada", signal), {
      code: "forge/not-mergeable",
    });
    await tell("feature", await write("feature", { "a.txt": "uno\n2\n3\n4\n5\n", "c.txt": "c\n" }));
    assert.equal((await forge.pulls.require(shop.id, 1)).mergeable, true);
    assert.deepEqual(await actions(), ["opened", "synchronize"]);
  });

  test("is rebased commit by commit, and not where one of them conflicts", async () => {
    await write("feature", { "a.txt": "1\n2\n3\n4\nfive\n" }, "main");
    await write("feature", { "c.txt": "c\n" });
    await open();
    const base = await write("main", { "b.txt": "other\n" });
    const merged = await forge.pulls.merge(shop, 1, { method: "rebase" }, "ada", signal);
    const log = await repositories.log("acme/shop", "refs/heads/main", 10);
    assert.equal(log[0]?.sha, merged.mergeCommitSha);
    assert.deepEqual(
      log.slice(0, 3).map((commit) => commit.subject),
      ["Write c.txt", "Write a.txt", "Write b.txt"],
    );
    assert.equal(log[2]?.sha, base);
    await write("again", { "b.txt": "x\n" }, base);
    await write("again", { "b.txt": "other\n", "d.txt": "d\n" });
    await open("again");
    await write("main", { "b.txt": "main\n", "a.txt": "x\n" });
    await assert.rejects(
      forge.pulls.merge(shop, 2, { method: "rebase" }, "ada", signal),
      /cannot be rebased|conflicts/,
    );
  });

  test("is merged by whoever pushes its commits to the base, and closed when its branch goes", async () => {
    const head = await write("feature", { "c.txt": "c\n" }, "main");
    await open();
    const before = await repositories.resolve("acme/shop", "refs/heads/main");
    const ref = "refs/heads/main";
    await repositories.moveRef("acme/shop", { ref, before: before ?? zero, after: head, pusher: "ada" });
    await tell("main", head);
    await tell("main", head);
    const merged = await forge.pulls.require(shop.id, 1);
    assert.equal(merged.mergeCommitSha, head);
    assert.equal(merged.mergedBy, "ada");
    const other = await write("other", { "d.txt": "d\n" }, "main");
    await open("other");
    await repositories.moveRef("acme/shop", { ref: "refs/heads/other", before: other, after: zero, pusher: "ada" });
    await tell("other", undefined);
    const closed = await forge.pulls.require(shop.id, 2);
    assert.equal(closed.state, "closed");
    assert.equal(closed.mergedAt, null);
    assert.deepEqual(await actions(), ["opened", "closed", "opened", "closed"]);
  });

  test("follows its fork, and its refs are mended when a crash kept them from being set", async () => {
    const main = (await repositories.resolve("acme/shop", "refs/heads/main")) ?? "";
    const fork = await repositories.create("ada/shop");
    await forge.pulls.forks.add(fork, shop);
    await repositories.bring("ada/shop", "acme/shop", [main], signal);
    await repositories.moveRef("ada/shop", { ref: "refs/heads/main", before: zero, after: main, pusher: "ada" });
    const first = await write("main", { "fork.txt": "1\n" }, undefined, "ada/shop");
    const pull = await open("ada:main");
    assert.equal(pull.sameRepository, false);
    assert.equal(await repositories.resolve("acme/shop", "refs/pull/1/head"), first);
    const second = await write("main", { "fork.txt": "2\n" }, undefined, "ada/shop");
    await tell("main", second, fork);
    const moved = await forge.pulls.require(shop.id, 1);
    assert.equal(moved.head.sha, second);
    for (const [name, before] of [
      ["head", second],
      ["merge", moved.testMergeSha ?? ""],
    ] as const) {
      await repositories.moveRef("acme/shop", { ref: `refs/pull/1/${name}`, before, after: zero, pusher: "test" });
    }
    await forge.pulls.settleRefs(shop, moved, signal);
    assert.equal(await repositories.resolve("acme/shop", "refs/pull/1/head"), second);
    assert.equal(await repositories.resolve("acme/shop", "refs/pull/1/merge"), moved.testMergeSha);
  });

  for (const method of ["merge", "squash", "rebase"] as const) {
    test(`is merged once by ${method}, though the process died before it could write so down`, async () => {
      await write("feature", { "c.txt": "c\n" }, "main");
      await write("main", { "d.txt": "d\n" });
      await open();
      const commits = forgeCommits(repositories);
      const move: typeof commits.move = async (...args) => {
        await commits.move(...args);
        throw new Error("killed");
      };
      const checks = { of: () => Promise.resolve([]) };
      const mortal = await openForge({
        ...common,
        folder: join(folder, "forge"),
        commits: { ...commits, move },
        checks,
      });
      await assert.rejects(mortal.pulls.merge(shop, 1, { method }, "ada", signal), { code: "forge/conflict" });
      const merged = await repositories.resolve("acme/shop", "refs/heads/main");
      // Who asks again is told, and what was pushed after it changes nothing.
      const after = await write("main", { "e.txt": "e\n" });
      await assert.rejects(forge.pulls.merge(shop, 1, { method }, "bob", signal), /#1 is merged already/);
      await tell("main", after);
      const pull = await forge.pulls.require(shop.id, 1);
      assert.deepEqual([pull.mergeCommitSha, pull.mergedBy], [merged, "ada"]);
      assert.equal(await repositories.resolve("acme/shop", "refs/heads/main"), after);
      assert.deepEqual(await actions(), ["opened", "closed"]);
    });
  }

  test("of nothing new, of no branch, or made twice is refused", async () => {
    await assert.rejects(open("main"), /No commits between main and main/);
    await assert.rejects(open("nowhere"), { code: "forge/invalid" });
    await assert.rejects(open("stranger:main"), { code: "forge/invalid" });
    await write("feature", { "c.txt": "c\n" }, "main");
    await open();
    await assert.rejects(open(), /already exists for feature/);
  });
});
