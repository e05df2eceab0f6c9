/** What the git client does not do on request: leave in the middle, zip its body, send nonsense. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { systemClock } from "#lib";
import { repack } from "./maintenance.ts";
import { flushPacket, packet } from "./pkt-line.ts";
import { GitError, zeroId } from "./index.ts";
import { commitFiles, gitOk, startGitServer, temporaryFolder, type GitServer } from "./testing.ts";

const authorization = `Basic ${btoa("x:ada=admin")}`;

async function seeded(
  stack: AsyncDisposableStack,
): Promise<{ server: GitServer; work: string; folder: string; sha: string }> {
  const server = stack.use(await startGitServer());
  const work = await temporaryFolder(stack);
  const { id } = await server.repositories.create("acme/shop");
  await gitOk(work, "init", "-q", "-b", "main");
  const sha = await commitFiles(work, { "a.txt": "1" });
  await gitOk(work, "push", "-q", server.url("acme/shop"), "main");
  return { server, work, folder: server.repositories.folderOf(id), sha };
}

/** Looks until it is so; the file system gives no event that says so portably. */
async function until(what: () => Promise<boolean>): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  while (!(await what())) await systemClock.sleep(10, signal);
}

test("a client that leaves within its push leaves nothing behind", async () => {
  await using stack = new AsyncDisposableStack();
  const { server, folder, sha } = await seeded(stack);
  const quarantines = async (): Promise<number> =>
    (await readdir(join(folder, "objects"))).filter((name) => name.startsWith("tmp_objdir")).length;
  const command = packet(`${zeroId} ${sha} refs/heads/half\0 report-status side-band-64k`);
  const body = Buffer.concat([command, flushPacket, Buffer.from("PACK"), Buffer.of(0, 0, 0, 2, 0, 0, 1, 0)]);
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(`POST /acme/shop/git-receive-pack HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n`);
  socket.write("Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 100000\r\n\r\n");
  socket.write(body);
  await until(async () => (await quarantines()) === 1);

  socket.destroy();

  await until(async () => (await quarantines()) === 0);
  assert.deepEqual([...(await server.repositories.refs("acme/shop")).keys()], ["refs/heads/main"]);
});

test("a zipped request is read, one that only says so is refused, and one that is no push too", async () => {
  await using stack = new AsyncDisposableStack();
  const { server, sha } = await seeded(stack);
  const base = `http://127.0.0.1:${server.port}/acme/shop`;
  const headers = { authorization, "git-protocol": "version=2", "content-encoding": "gzip" };
  const request = Buffer.concat([packet("command=ls-refs\n"), Buffer.from("0001"), packet("peel\n"), flushPacket]);

  const zipped = await fetch(`${base}/git-upload-pack`, { method: "POST", headers, body: gzipSync(request) });
  assert.equal(zipped.headers.get("content-type"), "application/x-git-upload-pack-result");
  assert.match(await zipped.text(), new RegExp(`${sha} refs/heads/main`));
  const push = (body: Buffer, more: Record<string, string> = {}): Promise<Response> =>
    fetch(`${base}/git-receive-pack`, { method: "POST", headers: { authorization, ...more }, body });
  assert.equal((await push(request, { "content-encoding": "gzip" })).status, 400);
  assert.equal((await push(Buffer.from("hello world"))).status, 400);
  assert.equal((await push(packet(`${zeroId} ${sha} refs/../../x`))).status, 400);
  assert.equal((await push(flushPacket)).status, 200);
});

test("the system moves refs on the record, and not from where they are not", async () => {
  await using stack = new AsyncDisposableStack();
  const { server, sha } = await seeded(stack);
  const { repositories } = server;
  const move = (before: string, after: string): Promise<void> =>
    repositories.moveRef("acme/shop", { ref: "refs/pull/1/head", before, after, pusher: "tidegate" });

  await move(zeroId, sha);
  await assert.rejects(move(zeroId, sha), (error) => error instanceof GitError && error.code === "git/ref-conflict");
  await move(sha, zeroId);

  assert.deepEqual(
    (await repositories.updates.after(1)).map((row) => [row.ref, row.before, row.after, row.pusher]),
    [
      ["refs/pull/1/head", zeroId, sha, "tidegate"],
      ["refs/pull/1/head", sha, zeroId, "tidegate"],
    ],
  );
});

test("repacking keeps every object, also those that no ref reaches", async () => {
  await using stack = new AsyncDisposableStack();
  const { server, work, folder } = await seeded(stack);
  const lost = await commitFiles(work, { "a.txt": "2" });
  await gitOk(work, "push", "-q", server.url("acme/shop"), "main");
  await gitOk(work, "commit", "-q", "--amend", "-m", "Another");
  await gitOk(work, "push", "-q", "--force", server.url("acme/shop"), "main");

  await repack(server.repositories.host, folder, AbortSignal.timeout(10_000));

  assert.equal(await server.repositories.resolve("acme/shop", lost), lost);
  assert.equal(await server.repositories.resolve("acme/shop", "main"), await gitOk(work, "rev-parse", "HEAD"));
  const [, , last] = await server.repositories.updates.after(0);
  assert.equal(last?.forced, true);
  await gitOk(work, "fetch", "-q", server.url("acme/shop"), lost);
});
