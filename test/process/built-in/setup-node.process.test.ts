/** `actions/setup-node`: what package managers download is kept under the keys of the official action. */
import { equal, match, ok } from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { logOf, startBuiltInJobs, wholeLog, type BuiltInJobs } from "../../support/built-in-jobs.ts";

let jobs: BuiltInJobs;
const arch = process.arch === "arm64" ? "arm64" : "x64";
const node = { "node-version": "22.97" };

before(async () => {
  jobs = await startBuiltInJobs();
  const folder = join(jobs.toolCache, "node", "22.97.1", arch);
  await mkdir(join(folder, "bin"), { recursive: true });
  await symlink(process.execPath, join(folder, "bin", "node"));
  const programs = {
    npm: 'echo "$HOME/npm-of-test"',
    pnpm: 'case "$*" in "store path --silent") echo "$HOME/pnpm-of-test";; *) echo "no such command" >&2; exit 3;; esac',
    // Of each project another folder, as Yarn 3 has it.
    yarn: 'case "$*" in --version) echo 4.5.0;; "config get cacheFolder") echo "$HOME/yarn-of-test/${PWD##*/}";; *) echo false;; esac',
  };
  for (const [name, says] of Object.entries(programs)) {
    await writeFile(join(folder, "bin", name), `#!/bin/sh\n${says}\n`, { mode: 0o755 });
  }
  await writeFile(`${folder}.complete`, "");
});
after(async () => await jobs[Symbol.asyncDispose]());

test("npm's downloads are kept, found again, and not those for another lock file", async () => {
  const steps = (lock: string) => [
    { run: `echo '"${lock}"' > package-lock.json` },
    { name: "node", id: "node", uses: "actions/setup-node@v7", with: { ...node, cache: "npm" } },
    {
      name: "look",
      run: 'ls ~/npm-of-test 2>/dev/null || true; mkdir -p ~/npm-of-test; echo x > ~/npm-of-test/of-one; echo "${{ steps.node.outputs.cache-hit }} ${{ steps.node.outputs.cache-matched-key }}"',
    },
  ];
  const first = await jobs.run(steps("one"));
  match(logOf(first, "look"), /\nfalse $/, wholeLog(first));
  const saved = /Cache saved with the key: (node-cache-Linux-(?:x64|arm64)-npm-[0-9a-f]{64})$/.exec(
    logOf(first, "Post node"),
  )?.[1];
  ok(saved !== undefined, wholeLog(first));
  const second = await jobs.run([{ run: "rm -rf ~/npm-of-test" }, ...steps("one")]);
  ok(logOf(second, "look").endsWith(`\nof-one\ntrue ${saved}`), wholeLog(second));
  ok(logOf(second, "Post node").endsWith(`Cache hit occurred on the primary key ${saved}, not saving cache.`));
  match(logOf(await jobs.run(steps("two")), "look"), /\nfalse $/);
});

test("a project of Yarn 3 also takes what an older lock file needed, and each project its own folder", async () => {
  const steps = (lock: string) => [
    { run: `mkdir -p one two; echo '${lock}' | tee one/yarn.lock > two/yarn.lock` },
    {
      name: "node",
      id: "node",
      uses: "actions/setup-node@v4",
      with: { ...node, cache: "yarn", "cache-dependency-path": "*/yarn.lock" },
    },
    {
      name: "look",
      run: "ls ~/yarn-of-test/one 2>/dev/null || true; mkdir -p ~/yarn-of-test/one; touch ~/yarn-of-test/one/a",
    },
  ];
  const first = await jobs.run(steps("1"));
  match(logOf(first, "Post node"), /Cache saved with the key: node-cache-Linux-\w+-yarn-/, wholeLog(first));
  const second = await jobs.run([{ run: "rm -rf ~/yarn-of-test" }, ...steps("2")]);
  match(logOf(second, "look"), /\na$/, wholeLog(second));
  match(logOf(second, "Post node"), /Cache saved with the key: node-cache-Linux-\w+-yarn-/);
});

test("what package.json names is kept unasked from version 5 on, and what cannot be kept fails with its remedy", async () => {
  const manifest = (text: string) => ({ run: `echo '${text}' > package.json; echo 1 > package-lock.json` });
  const unasked = async (version: string, text: string) => {
    const record = await jobs.run([
      manifest(text),
      { name: "node", uses: `actions/setup-node@${version}`, with: node },
    ]);
    return /npm cache is not found|Cache restored from key/.test(logOf(record, "node"));
  };
  equal(await unasked("v4", '{ "packageManager": "npm@10" }'), false);
  equal(await unasked("v5", '{ "packageManager": "npm@10" }'), true);
  equal(await unasked("v5", '{ "devEngines": { "packageManager": { "name": "npm" } } }'), false);
  equal(await unasked("v6", '{ "devEngines": { "packageManager": { "name": "npm" } } }'), true);
  equal(await unasked("v6", '{ "packageManager": "yarn@1" }'), false);
  const refusals: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{ cache: "npm" }, /Dependencies lock file is not found in .* Check it out before this step, name it with cache-/],
    [{ cache: "bun" }, /Caching for 'bun' is not supported: use npm, yarn or pnpm$/],
    [{ cache: "pnpm", "cache-dependency-path": "none" }, /Some specified paths were not resolved, unable to cache/],
  ];
  for (const [given, words] of refusals) {
    const record = await jobs.run([{ name: "node", uses: "actions/setup-node@v4", with: { ...node, ...given } }]);
    match(logOf(record, "node"), words, wholeLog(record));
  }
});

test("a version file may name another, but not itself in a circle", async () => {
  const record = await jobs.run([
    {
      run: `mkdir web; echo '{ "volta": { "extends": "../package.json" } }' > web/package.json; echo '{ "volta": { "node": "22.97.1" } }' > package.json`,
    },
    { id: "node", uses: "actions/setup-node@v4", with: { "node-version-file": "web/package.json" } },
    { name: "look", run: "command -v node" },
    { run: `echo '{ "volta": { "extends": "./package.json" } }' > package.json` },
    { name: "circle", uses: "actions/setup-node@v4", with: { "node-version-file": "package.json" } },
  ]);
  match(logOf(record, "look"), /node\/22\.97\.1\/\w+\/bin\/node$/, wholeLog(record));
  match(logOf(record, "circle"), /"package\.json" names 10 files that each name another: write a version into one/);
});
