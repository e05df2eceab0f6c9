import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { createLog, systemClock, type LogEntry } from "#lib";
import { openMirrors } from "./index.ts";
import { commitFiles, gitOk, startGitServer, temporaryFolder } from "./testing.ts";

test("a remote is copied with its branches, tags and HEAD, by http with credentials and by file", async () => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startGitServer());
  const work = await temporaryFolder(stack);
  const folder = await temporaryFolder(stack);
  await server.repositories.create("acme/env", { defaultBranch: "trunk" });
  await gitOk(work, "init", "-q", "-b", "trunk");
  const first = await commitFiles(work, { "base/app.yaml": "a: 1\n" });
  await gitOk(work, "push", "-q", server.url("acme/env"), "trunk", "HEAD:refs/tags/v1");
  const entries: LogEntry[] = [];
  const log = createLog((entry) => entries.push(entry), "debug");
  const mirrors = await openMirrors({ folder, clock: systemClock, log });
  const signal = AbortSignal.timeout(30_000);

  const copy = await mirrors.fetch(server.url("acme/env"), { signal });
  assert.equal(await copy.resolve("HEAD"), first);
  assert.equal(await copy.resolve("v1"), first);
  await copy.materialise(first, join(work, "out"));
  assert.deepEqual(await readdir(join(work, "out")), ["base"]);

  const second = await commitFiles(work, { "base/app.yaml": "a: 2\n" });
  await gitOk(work, "push", "-q", server.url("acme/env"), "trunk", ":refs/tags/v1");
  const plain = `http://127.0.0.1:${server.port}/acme/env`;
  const again = await mirrors.fetch(plain, { signal, credentials: { username: "x", password: "ada=admin" } });
  assert.equal(again.folder, copy.folder);
  assert.equal(await again.resolve("trunk"), second);
  assert.equal(await again.resolve("v1"), undefined);

  const local = await mirrors.fetch(pathToFileURL(work).href, { signal });
  assert.equal(await local.resolve("HEAD"), second);
  assert.deepEqual(entries, []);
});

test("an unreachable, a forbidden and an unusable remote each say why, without the password", async () => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startGitServer());
  const mirrors = await openMirrors({
    folder: await temporaryFolder(stack),
    clock: systemClock,
    log: createLog(() => {}),
  });
  const signal = AbortSignal.timeout(30_000);
  const fetching = (url: string): Promise<string> =>
    mirrors.fetch(url, { signal }).then(
      () => "fetched",
      (error: unknown) => String(error),
    );

  assert.match(
    await fetching(`http://u:hunter2@127.0.0.1:${server.port}/acme/none`),
    /Cannot fetch "http:\/\/127.0.0.1:\d+\/acme\/none": .+/,
  );
  assert.doesNotMatch(await fetching(`http://u:hunter2@127.0.0.1:${server.port}/acme/none`), /hunter2/);
  assert.match(await fetching("http://127.0.0.1:1/acme/none"), /Failed to connect|Connection refused|unable to access/);
  assert.match(await fetching("ssh://git@example.com/acme/x"), /its protocol is "ssh:"; use http, https or file/);
  assert.match(await fetching("ext::sh -c touch"), /Cannot read a remote repository/);
});
