/**
 * Story: what jobs keep. The protocols are spoken here as the official clients speak them: Twirp with JSON, then blocks
 * to a signed address, from within jobs, with the job's own token.
 */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { ArtifactSummary, RunDetail } from "#api";
import { run } from "../support/run-command.ts";
import { cliCommand, startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { until } from "../support/until.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

/** A JavaScript action, since only actions get the token. It saves what it is told and says what it finds. */
const action = `name: Keep
description: Keeps
inputs: { do: { required: true }, key: { required: true }, text: { default: "" } }
outputs: { found: { description: What was found } }
runs: { using: node24, main: main.mjs }
`;

const main = `
import { appendFileSync } from "node:fs";
const env = process.env;
const [what, key, text] = [env.INPUT_DO, env.INPUT_KEY, env.INPUT_TEXT];
const claims = JSON.parse(Buffer.from(env.ACTIONS_RUNTIME_TOKEN.split(".")[1], "base64url"));
const [, run, job] = claims.scp.split(" ").find((scope) => scope.startsWith("Actions.Results:")).split(":");
const ids = { workflow_run_backend_id: run, workflow_job_run_backend_id: job };
async function call(service, method, body) {
  const url = new URL("/twirp/github.actions.results.api.v1." + service + "/" + method, env.ACTIONS_RESULTS_URL);
  const headers = { authorization: "Bearer " + env.ACTIONS_RUNTIME_TOKEN, "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, ...(await response.json()) };
}
async function upload(url, text) {
  const middle = Math.floor(text.length / 2);
  const parts = [text.slice(0, middle), text.slice(middle)];
  const names = ["one", "two"].map((name) => Buffer.from(name).toString("base64"));
  for (const [index, name] of names.entries()) {
    const put = await fetch(url + "&comp=block&blockid=" + encodeURIComponent(name), { method: "PUT", body: parts[index] });
    if (put.status !== 201) throw new Error("block " + put.status);
  }
  const list = "<BlockList>" + names.map((name) => "<Latest>" + name + "</Latest>").join("") + "</BlockList>";
  const put = await fetch(url + "&comp=blocklist", { method: "PUT", body: list });
  if (put.status !== 201) throw new Error("list " + put.status);
}
let found = "";
if (what === "save") {
  const made = await call("CacheService", "CreateCacheEntry", { key, version: "v1" });
  if (made.ok) {
    await upload(made.signed_upload_url, text);
    await call("CacheService", "FinalizeCacheEntryUpload", { key, version: "v1", size_bytes: String(text.length) });
  }
  found = made.ok ? "saved" : made.code;
} else if (what === "restore") {
  const hit = await call("CacheService", "GetCacheEntryDownloadURL", { key, restore_keys: ["k"], version: "v1" });
  found = hit.ok ? hit.matched_key + "=" + (await (await fetch(hit.signed_download_url)).text()) : "miss";
} else if (what === "upload") {
  const made = await call("ArtifactService", "CreateArtifact", { ...ids, name: key, version: 4 });
  if (made.ok) {
    await upload(made.signed_upload_url, text);
    await call("ArtifactService", "FinalizeArtifact", { ...ids, name: key, size: String(text.length) });
  }
  found = made.ok ? "uploaded" : made.code;
} else if (what === "foreign") {
  const list = await call("ArtifactService", "ListArtifacts", { ...ids, workflow_run_backend_id: "run-1" });
  found = String(list.status);
}
console.log(what, key, "->", found);
appendFileSync(env.GITHUB_OUTPUT, "found=" + found + "\\n");
`;

function workflow(steps: string): string {
  return `on: push
jobs:
  keep:
    runs-on: ubuntu-latest
    permissions: { contents: read, id-token: write }
    steps:
      - uses: actions/checkout@v4
${steps
  .trim()
  .split("\n")
  .map((line) => `      ${line}`)
  .join("\n")}
`;
}

function keep(what: string, key: string, text = ""): string {
  return `- uses: ./keep\n  with: { do: ${what}, key: ${key}, text: "${text}" }`;
}

describe("Given workflows that keep things", () => {
  let tidegate: Tidegate;
  let copy: WorkCopy;

  before(async () => {
    tidegate = await startTidegate();
    copy = await newRepository(tidegate, "acme/shop");
  });
  after(async () => await tidegate[Symbol.asyncDispose]());

  async function push(branch: string, steps: string): Promise<RunDetail> {
    const files = { "keep/action.yml": action, "keep/main.mjs": main, ".github/workflows/ci.yml": workflow(steps) };
    const sha = await copy.commit("Keep", files);
    await copy.git(["push", "origin", `HEAD:${branch}`]);
    const done = await until(tidegate, `the run of ${sha}`, async () => {
      const { items } = await tidegate.api<{ items: RunDetail[] }>(`/runs?sha=${sha}`);
      return items[0]?.status === "completed" ? items[0] : undefined;
    });
    return await tidegate.api<RunDetail>(`/runs/${done.id}`);
  }

  async function said(id: string): Promise<readonly string[]> {
    const [file, args] = cliCommand(["logs", id]);
    const { stdout } = await run(file, args, { env: tidegate.env });
    return stdout.split("\n").filter((line) => line.includes(" -> "));
  }

  test("a cache is found by key and by prefix, on its branch and from it, never on the branch of another", async () => {
    const first = await push(
      "main",
      [keep("save", "k1", "one"), keep("save", "k1", "again"), keep("restore", "k1")].join("\n"),
    );
    assert.equal(first.conclusion, "success");
    assert.deepEqual(await said(first.id), ["save k1 -> saved", "save k1 -> already_exists", "restore k1 -> k1=one"]);
    const topic = await push("topic", [keep("restore", "kx"), keep("save", "k2", "two")].join("\n"));
    assert.deepEqual(await said(topic.id), ["restore kx -> k1=one", "save k2 -> saved"]);
    const other = await push("other", keep("restore", "k2"));
    assert.deepEqual(await said(other.id), ["restore k2 -> k1=one"]);
  });

  test("an artifact is listed, downloaded whole with its digest, and deleted; another run's are out of reach", async () => {
    const text = "0123456789".repeat(50_000);
    const steps = [keep("upload", "report", text.slice(0, 2000)), keep("upload", "report"), keep("foreign", "x")].join(
      "\n",
    );
    const made = await push("main", steps);
    assert.deepEqual(await said(made.id), [
      "upload report -> uploaded",
      "upload report -> already_exists",
      "foreign x -> 403",
    ]);
    const { items } = await tidegate.api<{ items: ArtifactSummary[] }>(`/runs/${made.id}/artifacts`);
    assert.deepEqual(
      items.map(({ name, sizeInBytes, digest }) => [name, sizeInBytes, digest?.slice(0, 7)]),
      [["report", 2000, "sha256:"]],
    );
    const [file, args] = cliCommand(["runs", "download", made.id, "report", "--dir", tidegate.scratch]);
    const { stdout } = await run(file, args, { env: tidegate.env });
    assert.equal(await readFile(stdout.trim(), "utf8"), text.slice(0, 2000));
    await tidegate.api(`/artifacts/${items[0]?.id}`, { method: "DELETE" });
    const [lister, listed] = cliCommand(["runs", "artifacts", made.id, "--json"]);
    assert.deepEqual(JSON.parse((await run(lister, listed, { env: tidegate.env })).stdout), []);
  });

  test("caches are seen and deleted by people", async () => {
    const [file, args] = cliCommand(["cache", "list", "--repository", "acme/shop", "--json"]);
    const listed = JSON.parse((await run(file, args, { env: tidegate.env })).stdout) as { key: string; ref: string }[];
    assert.deepEqual(listed.map(({ key, ref }) => `${key} ${ref}`).sort(), [
      "k1 refs/heads/main",
      "k2 refs/heads/topic",
    ]);
    const [remover, removal] = cliCommand(["cache", "delete", "k2", "--repository", "acme/shop"]);
    assert.match((await run(remover, removal, { env: tidegate.env })).stdout, /1 entry of "k2" deleted/);
    const [again, repeated] = cliCommand(["cache", "delete", "k2", "--repository", "acme/shop"]);
    const { stderr } = await run(again, repeated, { env: tidegate.env, code: 1 });
    assert.match(stderr, /k2/);
  });

  test("a job proves who it is by a token that others can verify, and a script without the right has none", async () => {
    const ask =
      'curl -sf -H "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=bank" > "$RUNNER_TEMP/t"';
    const verify = join(copy.folder, "verify.mjs");
    await writeFile(
      verify,
      `import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
const { value } = JSON.parse(readFileSync(process.env.RUNNER_TEMP + "/t"));
const [head, body, signature] = value.split(".");
const claims = JSON.parse(Buffer.from(body, "base64url"));
const { jwks_uri: uri } = await (await fetch(claims.iss + "/.well-known/openid-configuration")).json();
const { kid } = JSON.parse(Buffer.from(head, "base64url"));
const jwk = (await (await fetch(uri)).json()).keys.find((key) => key.kid === kid);
const good = verify("sha256", Buffer.from(head + "." + body), createPublicKey({ key: jwk, format: "jwk" }), Buffer.from(signature, "base64url"));
console.log("identity", good, "->", claims.aud, claims.sub);
`,
    );
    const steps = `- run: |\n    ${ask}\n    node verify.mjs\n  env: { NOTHING: "" }`;
    const done = await push("main", steps);
    assert.equal(done.conclusion, "success");
    assert.deepEqual(await said(done.id), ["identity true -> bank repo:acme/shop:ref:refs/heads/main"]);
  });
});
