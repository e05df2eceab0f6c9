/** The real client `skopeo`, with a login, there and back. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runCommand } from "#lib";
import { digestOf, imageFixture, startRegistry, temporaryFolder } from "./testing.ts";

const signal = AbortSignal.timeout(60_000);
const env = { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: "/nonexistent", TMPDIR: tmpdir() };
const version = await runCommand("skopeo", ["--version"], { env, signal }).catch(() => undefined);
const missing = version === undefined ? "skopeo is not installed" : false;

async function skopeo(...args: string[]): Promise<string> {
  const result = await runCommand("skopeo", ["--insecure-policy", ...args], { env, signal });
  assert.equal(result.exitCode, 0, result.stderr);
  return result.stdout.toString("utf8");
}

test("skopeo is there when it matters", { skip: process.env["CI"] === undefined && missing }, () => {
  assert.equal(missing, false);
});

test("skopeo copies an image in, within and out, and what comes out is what went in", { skip: missing }, async () => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startRegistry());
  const folder = await temporaryFolder(stack);
  const image = imageFixture("skopeo");
  const source = join(folder, "in");
  await mkdir(source);
  await writeFile(join(source, "version"), "Directory Transport Version: 1.1\n");
  await writeFile(join(source, "manifest.json"), image.manifest);
  for (const blob of [image.config, image.layer]) await writeFile(join(source, digestOf(blob).slice(7)), blob);
  const at = `docker://127.0.0.1:${server.port}/acme`;
  const as = ["--dest-tls-verify=false", "--dest-creds", "u:ci=registry:write:acme/shop,registry:write:acme/twin"];
  const from = ["--src-tls-verify=false", "--src-creds", "u:ci=registry:read:acme/shop,registry:read:acme/twin"];

  await skopeo("copy", "--preserve-digests", ...as, `dir:${source}`, `${at}/shop:v1`);
  await skopeo("copy", "--preserve-digests", ...from, ...as, `${at}/shop:v1`, `${at}/twin:v1`);
  await skopeo("copy", "--preserve-digests", ...from, `${at}/twin:v1`, `dir:${join(folder, "out")}`);

  assert.equal(await readFile(join(folder, "out", "manifest.json"), "utf8"), image.manifest);
  const files = new Set(await readdir(join(folder, "out")));
  for (const blob of [image.config, image.layer]) assert.ok(files.has(digestOf(blob).slice(7)));
  const login = ["--tls-verify=false", "--creds", "u:ci=registry:read:acme/shop"];
  const tags = JSON.parse(await skopeo("list-tags", ...login, `${at}/shop`)) as { Tags: string[] };
  assert.deepEqual(tags.Tags, ["v1"]);
  const remove = ["--tls-verify=false", "--creds", "u:ci=registry:write:acme/shop"];
  await skopeo("delete", ...remove, `${at}/shop:v1`);
  assert.equal(await server.registry.manifest("acme/shop", "v1"), undefined);
  assert.deepEqual(
    (await server.registry.pushes.after(0)).map((push) => [push.repository, push.tag, push.pusher]),
    [
      ["acme/shop", "v1", "ci"],
      ["acme/twin", "v1", "ci"],
    ],
  );
});

test("skopeo is refused without the right to push", { skip: missing }, async () => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startRegistry());
  const args = ["--insecure-policy", "list-tags", "--tls-verify=false", "--creds", "u:bob=registry:read:acme/other"];
  const result = await runCommand("skopeo", [...args, `docker://127.0.0.1:${server.port}/acme/shop`], { env, signal });
  assert.notEqual(result.exitCode, 0);
  assert.match(result.stderr, /unauthorized|denied|Authentication is needed|permit/i);
});
