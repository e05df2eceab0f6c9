/** What becomes of a secret from the command line to the log of a job: the job has it, and nothing else ever does. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, watch } from "node:fs";
import { readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { RunDetail, RunSummary, SecretView } from "#api";
import { root } from "../../scripts/steps.ts";
import { skipWithout } from "../support/needs.ts";
import { run } from "../support/run-command.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { until } from "../support/until.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

const token = "hunter2-Zq8x/4kT+pLm=";
const keyLines = ["-----BEGIN KEY-----", "uG7nd0Ea2xVvRk3s", "-----END KEY-----"];
const ownerToken = "belongs-to-the-owner-81";

const workflow = `
on: push
jobs:
  leak:
    runs-on: ubuntu-latest
    environment: production
    env: { FROM_JOB: "\${{ secrets.DEPLOY_TOKEN }}" }
    outputs: { token: "\${{ steps.leak.outputs.token }}" }
    steps:
      - run: echo "in the script \${{ secrets.deploy_token }}"
      - id: leak
        env: { TOKEN: "\${{ secrets.DEPLOY_TOKEN }}", KEY: "\${{ secrets.KEY }}", OWNED: "\${{ secrets.SHARED }}" }
        run: |
          echo "in env $TOKEN and $FROM_JOB and $OWNED"
          printf '%s\\n' "$KEY"
          echo "base64 $(printf %s "$TOKEN" | base64 --wrap=0)"
          echo "hash $(printf '%s\\n%s\\n%s' "$TOKEN" "$KEY" "$OWNED" | sha256sum)"
          echo "place \${{ vars.PLACE }} of \${{ vars.REGISTRY }}"
          echo "token=$TOKEN" >> "$GITHUB_OUTPUT"
          echo "summary $TOKEN" >> "$GITHUB_STEP_SUMMARY"
          echo "::warning::annotated $TOKEN"
`;

let tidegate: Tidegate;
let shop: WorkCopy;
before(async () => {
  tidegate = await startTidegate();
  shop = await newRepository(tidegate, "acme/shop");
});
after(async () => await tidegate[Symbol.asyncDispose]());

const repository = ["--repository", "acme/shop"];
const production = [...repository, "--environment", "production"];

async function setSecret(name: string, input: string, where: readonly string[]): Promise<string> {
  const main = join(root, "src", "cli", "main.ts");
  const { stdout } = await run(process.execPath, [main, "secret", "set", name, ...where], { env: tidegate.env, input });
  return stdout;
}

async function completedRun(sha: string): Promise<RunDetail> {
  const summary = await until(tidegate, `the run of ${sha}`, async () => {
    const { items } = await tidegate.api<{ items: RunSummary[] }>(`/runs?sha=${sha}`);
    return items.find(({ status }) => status === "completed");
  });
  return await tidegate.api<RunDetail>(`/runs/${summary.id}`);
}

async function get(path: string): Promise<string> {
  const headers = { authorization: `Bearer ${tidegate.adminToken}` };
  return await (await fetch(`${tidegate.url}/api/tidegate/v1${path}`, { headers })).text();
}

/** A job's files, its scripts among them, go soon after its end. */
async function jobsForgotten(): Promise<void> {
  const jobs = join(tidegate.home, "runner", "work", "jobs");
  const watcher = watch(jobs);
  const signal = AbortSignal.timeout(30_000);
  while (readdirSync(jobs).length > 0) await once(watcher, "change", { signal });
  watcher.close();
}

async function filesWith(texts: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(tidegate.home, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = await readFile(path);
    if (texts.some((text) => content.includes(text))) found.push(path);
  }
  return found;
}

test("a job has its secrets, its log has none of them, and the data folder neither", async () => {
  assert.equal(
    await setSecret("deploy_token", "of the repository\n", repository),
    "Secret DEPLOY_TOKEN of acme/shop is set.\n",
  );
  await setSecret("DEPLOY_TOKEN", `${token}\n`, production);
  await setSecret("KEY", `${keyLines.join("\n")}\n`, repository);
  await setSecret("SHARED", ownerToken, ["--owner", "acme"]);
  await tidegate.cli(["variable", "set", "place", "north", "--owner", "acme"]);
  await tidegate.cli(["variable", "set", "PLACE", "south", ...repository]);

  const { sha } = await shop.push("Leak", { ".github/workflows/leak.yml": workflow });
  const done = await completedRun(sha);

  assert.equal(done.conclusion, "success");
  const [job] = done.jobs;
  assert.ok(job);
  const log = await get(`/jobs/${job.id}/log`);
  for (const said of ["in the script ***", "in env *** and *** and ***", "base64 ***", `place south of 127.0.0.1:`]) {
    assert.ok(log.includes(said), `the log says "${said}":\n${log}`);
  }
  const told = createHash("sha256")
    .update(`${token}\n${keyLines.join("\n")}\n\n${ownerToken}`)
    .digest("hex");
  assert.ok(log.includes(`hash ${told}`), "the job had the values to the byte");
  const hidden = [token, Buffer.from(token).toString("base64"), keyLines[1] ?? "", ownerToken, "of the repository"];
  const shown = JSON.stringify(done) + log + (await get("/secrets/acme/shop?environment=production"));
  for (const text of hidden) {
    const at = shown.indexOf(text);
    assert.equal(at, -1, `"${text}" is shown: …${shown.slice(Math.max(0, at - 300), at + 100)}…`);
  }
  await jobsForgotten();
  assert.deepEqual(await filesWith(hidden), []);
  assert.ok((await filesWith(["south"])).length > 0, "the search finds a variable, which is not encrypted");
});

test("names are listed, values replaced and deleted; what is wrong is said without a value", async () => {
  const { stdout } = await tidegate.cli(["secret", "list", ...repository, "--json"]);
  assert.deepEqual(
    (JSON.parse(stdout) as SecretView[]).map(({ name, ...rest }) => [name, Object.keys(rest)]),
    [
      ["DEPLOY_TOKEN", ["updatedAt"]],
      ["KEY", ["updatedAt"]],
    ],
  );
  await tidegate.cli(["secret", "delete", "key", ...repository]);
  assert.match((await tidegate.cli(["secret", "delete", "KEY", ...repository], 1)).stderr, /has none of this name/);
  assert.match(
    (await tidegate.cli(["secret", "list", "--repository", "acme/shpo"], 1)).stderr,
    /Cannot find repository/,
  );
  assert.match((await tidegate.cli(["secret", "list"], 2)).stderr, /either --repository <owner\/repo> or --owner/);
  const refused = await tidegate.cli(["variable", "set", "GITHUB_X", "some-value", ...repository], 1);
  assert.match(refused.stderr, /taken by what every job has/);
  assert.ok(!refused.stderr.includes("some-value"));
  assert.match((await tidegate.cli(["secret", "rotate-key"])).stdout, /protects the secrets \(3\)/);
});

/** It gives a command a terminal, and types there what it is sent. */
const terminal = "script";
const noTerminal = skipWithout(terminal);
test("a terminal asks for the value and does not show it", { skip: noTerminal }, async () => {
  const main = join(root, "src", "cli", "main.ts");
  const command = `${process.execPath} ${main} secret set TYPED --owner acme`;
  const file = join(tidegate.scratch, "typescript");
  const child = spawn(terminal, ["--quiet", "--return", "--command", command, file], { env: tidegate.env });
  let screen = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    const asked = screen.includes("Value of TYPED: ");
    screen += String(chunk);
    if (!asked && screen.includes("Value of TYPED: ")) child.stdin.write("not-to-be-seex\u007fn\r");
  }
  assert.match(screen, /^Value of TYPED: \s+Secret TYPED of acme is set\.\s+$/);
  assert.match((await tidegate.cli(["secret", "list", "--owner", "acme"])).stdout, /^TYPED /m);
});

test("a job whose secrets cannot be read fails and says why; it goes well when the key is back", async () => {
  const key = join(tidegate.home, "keys", "secrets");
  await rename(key, `${key}.away`);
  const failed = await completedRun((await shop.push("Without the key")).sha);
  assert.equal(failed.conclusion, "failure");
  assert.match(failed.jobs[0]?.message ?? "", /the key file is gone.*Bring it back/);
  await rename(`${key}.away`, key);
  assert.equal((await completedRun((await shop.push("With the key")).sha)).conclusion, "success");
});

test("a repository that takes the name of a deleted one inherits nothing of it", async () => {
  await tidegate.cli(["repo", "delete", "acme/shop"]);
  await tidegate.cli(["repo", "create", "acme/shop"]);
  for (const path of ["/secrets/acme/shop", "/secrets/acme/shop?environment=production", "/variables/acme/shop"]) {
    assert.deepEqual(await tidegate.api(path), { items: [] });
  }
  assert.equal((await tidegate.api<{ items: SecretView[] }>("/secrets/acme")).items[0]?.name, "SHARED");
});
