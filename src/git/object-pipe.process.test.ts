import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gitEnvironment, gitOutput, type GitRun } from "./git-process.ts";
import { ObjectPipe } from "./object-pipe.ts";
import { objectReader } from "./objects.ts";
import { pipedReader } from "./piped-reader.ts";

describe("a reader with a pipe", () => {
  let run: GitRun;
  let pipe: ObjectPipe;
  let first = "";
  let second = "";

  before(async () => {
    const folder = await mkdtemp(join(tmpdir(), "tidegate-pipe-"));
    const environment = {
      ...gitEnvironment({ searchPath: process.env["PATH"] ?? "" }),
      GIT_AUTHOR_NAME: "Ada",
      GIT_AUTHOR_EMAIL: "a@b",
      GIT_COMMITTER_NAME: "Ada",
      GIT_COMMITTER_EMAIL: "a@b",
      GIT_AUTHOR_DATE: "1700000000 +0200",
      GIT_COMMITTER_DATE: "1700000000 -0930",
    };
    run = { folder, environment, signal: new AbortController().signal };
    await gitOutput(["init", "--quiet", "--bare", "--initial-branch=main"], run);
    pipe = new ObjectPipe(run);
    first = await commit("one", undefined);
  });
  after(async () => {
    pipe[Symbol.dispose]();
    await rm(run.folder, { recursive: true, force: true });
  });

  async function commit(text: string, parent: string | undefined): Promise<string> {
    const out = async (args: readonly string[], input: string): Promise<string> =>
      (await gitOutput(args, { ...run, input })).toString("utf8").trim();
    const blob = await out(["hash-object", "-w", "--stdin"], text);
    const inner = await out(["mktree"], `100644 blob ${blob}\tz.txt\n`);
    const middle = await out(["mktree"], `100644 blob ${blob}\ta-b\n040000 tree ${inner}\ta\n`);
    const root = await out(["mktree"], `100644 blob ${blob}\tREADME\n040000 tree ${middle}\tdocs\n`);
    const parents = parent === undefined ? [] : ["-p", parent];
    const sha = await out(["commit-tree", root, ...parents, "-m", `Say ${text}`], "");
    await out(["update-ref", "refs/heads/main", sha], "");
    return sha;
  }

  test("answers as git does, for what is there and what is not", async () => {
    const piped = pipedReader(objectReader(run), () => pipe);
    const plain = objectReader(run);
    for (const ask of [
      (reader: typeof plain) => reader.resolve("main"),
      (reader: typeof plain) => reader.resolve("refs/heads/none"),
      (reader: typeof plain) => reader.resolve(first.slice(0, 12)),
      (reader: typeof plain) => reader.commitInfo(first),
      (reader: typeof plain) => reader.commitInfo("0123".repeat(10)),
      (reader: typeof plain) => reader.listFiles(first, "docs"),
      (reader: typeof plain) => reader.listFiles(first, "docs/a/"),
      (reader: typeof plain) => reader.listFiles(first, "README"),
      (reader: typeof plain) => reader.listFiles(first, "nothing"),
      (reader: typeof plain) => reader.readFiles(first, ["README", "none", "docs", "docs/a/z.txt"]),
      (reader: typeof plain) => reader.readFile(first, "docs/a-b"),
      (reader: typeof plain) => reader.idsOf(first, ["docs", "none", "README"]),
    ])
      assert.deepEqual(await ask(piped), await ask(plain), String(ask));
    await assert.rejects(piped.listFiles("0123".repeat(10), "docs"), /there is no commit/);
  });

  test("sees what came after it started, and many questions at once", async () => {
    second = await commit("two", first);
    const piped = pipedReader(objectReader(run), () => pipe);
    const answers = await Promise.all(Array.from({ length: 50 }, () => piped.readFile(second, "README")));
    assert.ok(answers.every((answer) => answer?.toString("utf8") === "two"));
    assert.equal(await piped.resolve("main"), second);
    assert.deepEqual(await piped.log("main", 20), await objectReader(run).log("main", 20));
    assert.equal(await piped.isAncestor(first, second), true);
    assert.equal(await piped.isAncestor(second, first), false);
  });

  test("refuses what is over the limit and goes on with the next", async () => {
    await assert.rejects(pipe.read([`${first}:README`], 2), /it has 3 bytes/);
    const [object] = await pipe.read([`${first}:README`], 3);
    assert.equal(object?.content.toString("utf8"), "one");
  });

  test("starts again when it was closed", async () => {
    pipe[Symbol.dispose]();
    const [object] = await pipe.read([`${first}:README`], 3);
    assert.equal(object?.content.toString("utf8"), "one");
  });
});
