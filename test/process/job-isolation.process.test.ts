/** What one job has of the server is its own: it reaches its repository and run alone, and is worth nothing afterwards. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { RunDetail, RunSummary } from "#api";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

interface Leak {
  readonly token: string;
  readonly runtime: string;
  readonly workspace: string;
  readonly temp: string;
}

let tidegate: Tidegate;
let one: WorkCopy;
let two: WorkCopy;

before(async () => {
  tidegate = await startTidegate({ jobs: 2 });
  one = await newRepository(tidegate, "acme/one");
  two = await newRepository(tidegate, "acme/two");
});
after(async () => await tidegate[Symbol.asyncDispose]());

/** A job that hands out what it has, and goes on until it is told to end. */
function files(name: string): Record<string, string> {
  const leak = join(tidegate.scratch, `${name}.json`);
  return {
    ".github/workflows/w.yml": `
on: push
jobs:
  leak:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./leak
        with: { token: "\${{ secrets.GITHUB_TOKEN }}" }
      - run: until test -e ${leak}.end; do sleep 0.05; done
`,
    "leak/action.yml": "name: leak\ninputs: { token: {} }\nruns: { using: node24, main: main.js }\n",
    "leak/main.js": `
const { INPUT_TOKEN: token, ACTIONS_RUNTIME_TOKEN: runtime, GITHUB_WORKSPACE: workspace, RUNNER_TEMP: temp } = process.env;
const fs = require("node:fs");
fs.writeFileSync(${JSON.stringify(leak)} + ".part", JSON.stringify({ token, runtime, workspace, temp }));
fs.renameSync(${JSON.stringify(leak)} + ".part", ${JSON.stringify(leak)});
`,
  };
}

async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadline = AbortSignal.timeout(90_000);
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (deadline.aborted) throw new Error(`Waited too long for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

async function leakOf(name: string): Promise<Leak> {
  const file = join(tidegate.scratch, `${name}.json`);
  return await until("the job's leak", () =>
    existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Leak) : undefined,
  );
}

async function end(name: string, sha: string): Promise<RunDetail> {
  writeFileSync(join(tidegate.scratch, `${name}.json.end`), "");
  return await until("the run's end", async () => {
    const { items } = await tidegate.api<{ items: RunSummary[] }>(`/runs?sha=${sha}`);
    const run = items[0] === undefined ? undefined : await tidegate.api<RunDetail>(`/runs/${items[0].id}`);
    return run?.status === "completed" ? run : undefined;
  });
}

async function gitStatus(repository: string, token: string): Promise<number> {
  const authorization = `Basic ${Buffer.from(`x:${token}`).toString("base64")}`;
  const url = `${tidegate.url}/${repository}/info/refs?service=git-upload-pack`;
  const response = await fetch(url, { headers: { authorization } });
  await response.arrayBuffer();
  return response.status;
}

/** The run and job that the token is for, as the toolkit reads them. */
function backendIds(runtime: string): readonly [string, string] {
  const claims = JSON.parse(Buffer.from(runtime.split(".")[1] ?? "", "base64url").toString("utf8")) as { scp: string };
  const [, run = "", job = ""] = /Actions\.Results:([^:\s]+):([^:\s]+)/.exec(claims.scp) ?? [];
  return [run, job];
}

async function listArtifacts(runtime: string, of: readonly [string, string]): Promise<number> {
  const url = `${tidegate.url}/twirp/github.actions.results.api.v1.ArtifactService/ListArtifacts`;
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${runtime}`, "content-type": "application/json" },
    body: JSON.stringify({ workflow_run_backend_id: of[0], workflow_job_run_backend_id: of[1] }),
  });
  await response.arrayBuffer();
  return response.status;
}

test("tokens of a job reach its repository and run, and nothing once it has ended; its folders go", async () => {
  const first = await one.push("first", files("one"));
  const second = await two.push("second", files("two"));
  const [a, b] = [await leakOf("one"), await leakOf("two")];
  assert.notEqual(a.workspace, b.workspace);
  assert.ok(!b.temp.startsWith(a.workspace) && !a.temp.startsWith(b.workspace), "neither is within the other");
  assert.equal(await gitStatus("acme/one", a.token), 200);
  assert.ok([401, 403, 404].includes(await gitStatus("acme/two", a.token)), "no other repository");
  assert.equal(await listArtifacts(a.runtime, backendIds(a.runtime)), 200);
  assert.ok([401, 403, 404].includes(await listArtifacts(a.runtime, backendIds(b.runtime))), "no other run");
  const ended = await end("one", first.sha);
  assert.equal(ended.conclusion, "success");
  assert.equal(
    await until("the token's end", async () => ((await gitStatus("acme/one", a.token)) === 401 ? 401 : undefined)),
    401,
  );
  assert.equal(await listArtifacts(a.runtime, backendIds(a.runtime)), 401);
  await until("the folders to go", () => (existsSync(a.workspace) || existsSync(a.temp) ? undefined : true));
  assert.ok(existsSync(b.workspace), "the other job has its own still");
  assert.equal((await end("two", second.sha)).conclusion, "success");
});
