import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readLooseObject } from "./loose-object.ts";
import { temporaryFolder } from "./testing.ts";

test("objects in files of their own are read as git reads them, all others are left to it", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await temporaryFolder(stack);
  const git = (...args: string[]): Buffer => execFileSync("git", ["-C", folder, ...args]);
  const objects = join(folder, ".git", "objects");
  git("init", "--quiet");
  await writeFile(join(folder, "large"), randomBytes(100_000));
  await writeFile(join(folder, "empty"), "");
  git("add", ".");
  git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", "One");
  const id = (name: string): string => git("rev-parse", name).toString().trim();
  for (const [name, type] of [
    ["HEAD", "commit"],
    ["HEAD^{tree}", "tree"],
    ["HEAD:empty", "blob"],
  ] as const) {
    const sha = id(name);
    assert.deepEqual(await readLooseObject(objects, sha), { sha, type, content: git("cat-file", type, sha) });
  }
  const large = id("HEAD:large");
  assert.equal(await readLooseObject(objects, large), undefined);
  assert.equal(await readLooseObject(objects, "0".repeat(40)), undefined);
  const commit = id("HEAD");
  git("repack", "-adq");
  assert.equal(await readLooseObject(objects, commit), undefined);
});
