import assert from "node:assert/strict";
import { test } from "node:test";
import { GitError, type Mirrors, type Repositories } from "#git";
import { gitopsSource } from "./gitops-source.ts";

const files = new Map([
  ["deploy/kustomization.yaml", "resources: []\n"],
  ["deploy/page.bin", "small"],
  ["film.mp4", "too large to be read"],
]);

function repositoriesOf(readAheadFails: boolean): Repositories {
  const read = (path: string): Buffer | undefined => {
    if (path === "film.mp4") throw new GitError("git/too-large", "Cannot read a film");
    const text = files.get(path);
    return text === undefined ? undefined : Buffer.from(text);
  };
  const reader = {
    listFiles: () => Promise.resolve([...files.keys()]),
    readFile: (_sha: string, path: string) => Promise.resolve(read(path)),
    readFiles: (_sha: string, paths: readonly string[]) => {
      if (readAheadFails) return Promise.reject(new GitError("git/too-large", "Together they are too large"));
      return Promise.resolve(new Map(paths.map((path) => [path, read(path)])));
    },
  };
  const fake = { get: () => Promise.resolve({}), reader: () => Promise.resolve(reader) };
  return fake as unknown as Repositories;
}

for (const readAheadFails of [false, true]) {
  test(`a large file elsewhere keeps no manifest from being read${readAheadFails ? ", nor do many" : ""}`, async () => {
    const source = gitopsSource(repositoriesOf(readAheadFails), {} as Mirrors);
    const { signal } = new AbortController();
    const tree = await source.open("http://localhost:7070/acme/env", "a".repeat(40), "deploy", signal);
    assert.equal((await tree.read("deploy/kustomization.yaml"))?.toString(), "resources: []\n");
    assert.equal((await tree.read("deploy/page.bin"))?.toString(), "small");
  });
}
