/**
 * GitHub's toolkit, unmodified, as actions of teams use it: artifacts of this and of another run, caches, identity
 * tokens, summaries and tools, by the calls that the official actions make rarely. TIDEGATE_TOOLKIT names a folder whose
 * `node_modules` has `@actions/artifact`, `cache`, `core`, `exec` and `tool-cache`; they are no part of this repository.
 */
import { deepEqual, equal } from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { RunDetail, RunSummary } from "#api";
import { startTidegate, type Tidegate } from "../../support/start-tidegate.ts";
import { until } from "../../support/until.ts";
import { newRepository } from "../../support/work-copy.ts";

const toolkit = join(process.env["TIDEGATE_TOOLKIT"] ?? "", "node_modules", "@actions");

/** A script of the action, and what it answers or throws. */
type Call = readonly [script: string, want: unknown];

const artifacts: readonly Call[] = [
  [
    "typeof (await a.uploadArtifact('one', ['out/a', 'out/deep/b', 'out/zero'], 'out', { retentionDays: 2 })).id",
    "number",
  ],
  [
    "typeof (await a.uploadArtifact('two', ['out/a'], 'out', { retentionDays: 4000, compressionLevel: 0 })).id",
    "number",
  ],
  ["(await a.uploadArtifact('x', ['out/a'], 'out', { skipArchive: true })).size", 2],
  ["await a.uploadArtifact('none', [], 'out')", "FilesNotFoundError: No files were found to upload"],
  ["(await a.listArtifacts()).artifacts.map(({ name }) => name).sort()", ["a", "one", "two"]],
  ["(await a.listArtifacts({ latest: true })).artifacts.every(({ digest }) => digest.startsWith('sha256:'))", true],
  ["(await a.getArtifact('one')).artifact.name", "one"],
  ["await a.getArtifact('nothing')", "ArtifactNotFoundError: Artifact not found for name: nothing"],
  ["await fetched('one', 'back')", [false, ["a", "deep", "zero"]]],
  ["await fetched('one', 'back-again', 'sha256:' + '0'.repeat(64))", [true, ["a", "deep", "zero"]]],
  ["await a.downloadArtifact(999999)", "ArtifactNotFoundError: No artifacts found for ID: 999999"],
  ["typeof (await a.deleteArtifact('two')).id", "number"],
  ["await a.deleteArtifact('two')", "ArtifactNotFoundError: Artifact not found for name: two"],
  ["(await a.listArtifacts(of(env.GITHUB_RUN_ID))).artifacts.map(({ name }) => name).sort()", ["a", "one"]],
  ["await a.listArtifacts(of(987654))", "HttpError: Not Found - https://docs.github.com/rest"],
];

/** Of the run before this one, by the REST API. */
const elsewhere: readonly Call[] = [
  ["(await a.listArtifacts({ latest: true, ...of(earlier) })).artifacts.map(({ name }) => name).sort()", ["a", "one"]],
  ["await fetched('one', 'from-there', undefined, of(earlier))", [false, ["a", "deep", "zero"]]],
  ["typeof (await a.deleteArtifact('one', of(earlier))).id", "number"],
  ["(await a.listArtifacts(of(earlier))).artifacts.map(({ name }) => name)", ["a"]],
  ["await a.deleteArtifact('one', of(earlier))", "ArtifactNotFoundError: Artifact not found for name: one"],
];

const caches: readonly Call[] = [
  ["cache.isFeatureAvailable()", true],
  ["await cache.restoreCache(['deps'], key + 'a') ?? null", null],
  ["await cache.saveCache(['deps'], key + 'a') > 0", true],
  ["await cache.saveCache(['deps'], key + 'a')", -1],
  [
    "fs.rmSync('deps', { recursive: true }) ?? (await cache.restoreCache(['deps'], key + 'a', [], { lookupOnly: true })) === key + 'a'",
    true,
  ],
  ["fs.existsSync('deps')", false],
  [
    "await cache.restoreCache(['deps'], key + 'z', ['other-', key]) === key + 'a' && fs.readFileSync('deps/small', 'utf8')",
    "small",
  ],
  ["await cache.saveCache(['deps'], key + 'os', { uploadChunkSize: 1 << 20, uploadConcurrency: 4 }, true) > 0", true],
  ["await cache.restoreCache(['deps'], key + 'os', [], { concurrentBlobDownloads: true }, true) === key + 'os'", true],
  ["await cache.restoreCache(['deps', 'more'], key + 'a') ?? null", null],
  ["await cache.restoreCache(['deps'], 'a,b')", "ValidationError: Key Validation Error: a,b cannot contain commas."],
];

const others: readonly Call[] = [
  ["claims(await core.getIDToken()).sub", "repo:acme/shop:ref:refs/heads/main"],
  ["claims(await core.getIDToken('https://a.example/x?y=1&z=ü')).aud", "https://a.example/x?y=1&z=ü"],
  [
    "(await core.summary.addHeading('Kit').addTable([[{ data: 'h', header: true }], ['a']]).write()) && summary().includes('<th>h</th>')",
    true,
  ],
  ["(await core.summary.addRaw('only this').write({ overwrite: true })) && summary()", "only this"],
  ["(await core.summary.clear()) && summary()", ""],
  ["Object.keys(await core.platform.getDetails()).length > 4", true],
  [
    "[core.getMultilineInput('lines'), core.getInput('blank', { trimWhitespace: false }), core.getBooleanInput('yes')]",
    [["a", "b"], "  x ", true],
  ],
  ["await tool('tarball', 'extractTar')", true],
  ["await tool('zipball', 'extractZip')", true],
  [
    "[tools.find('kit', '1.x').endsWith('/kit/1.2.3/' + process.arch), tools.findAllVersions('kit'), tools.find('kit', '2.x')]",
    [true, ["1.2.3"], ""],
  ],
  [
    "(await exec.getExecOutput('sh', ['-c', 'cat; echo err >&2; exit 3'], { input: Buffer.from('in'), ignoreReturnCode: true }))",
    { exitCode: 3, stdout: "in", stderr: "err\n" },
  ],
  ["await exec.exec('sh', ['-c', 'exit 2'])", `Error: The process '<sh>' failed with exit code 2`],
];

const calls = [...artifacts, ...caches, ...others];

/** @param earlier the number of another run */
const script = (all: readonly Call[], earlier = ""): string => `
const fs = await import("node:fs");
const { randomBytes } = await import("node:crypto");
const load = (name) => import(${JSON.stringify(toolkit)} + name);
const core = await load("/core/lib/core.js"), cache = await load("/cache/lib/cache.js"), exec = await load("/exec/lib/exec.js");
const tools = await load("/tool-cache/lib/tool-cache.js");
const a = new (await load("/artifact/lib/artifact.js")).DefaultArtifactClient();
const { env } = process;
const [repositoryOwner, repositoryName] = env.GITHUB_REPOSITORY.split("/");
const earlier = ${JSON.stringify(earlier)};
const token = core.getInput("token"), key = "kit-" + env.GITHUB_RUN_ID + "-";
const of = (run) => ({ findBy: { token, workflowRunId: Number(run), repositoryOwner, repositoryName } });
const claims = (text) => JSON.parse(Buffer.from(text.split(".")[1], "base64url"));
const summary = () => fs.readFileSync(env.GITHUB_STEP_SUMMARY, "utf8");
async function fetched(name, path, expectedHash, where = {}) {
  const { artifact } = await a.getArtifact(name, where);
  const { digestMismatch } = await a.downloadArtifact(artifact.id, { path, expectedHash: expectedHash ?? artifact.digest, ...where });
  return [digestMismatch, fs.readdirSync(path).sort()];
}
async function tool(kind, unpack) {
  const url = env.GITHUB_API_URL + "/repos/" + env.GITHUB_REPOSITORY + "/" + kind + "/" + env.GITHUB_SHA;
  const folder = await tools[unpack](await tools.downloadTool(url, undefined, "token " + token));
  return fs.readdirSync(await tools.cacheDir(folder, "kit", "1.2.3")).length === 1;
}
for (const folder of ["out/deep", "deps"]) fs.mkdirSync(folder, { recursive: true });
fs.writeFileSync("out/a", "a\\n"); fs.writeFileSync("out/deep/b", randomBytes(300000)); fs.writeFileSync("out/zero", "");
fs.writeFileSync("deps/small", "small"); fs.writeFileSync("deps/large", randomBytes(5 << 20));
const answers = [];
const said = (error) => (error.name + ": " + error.message.split("\\n")[0]).replace(/'\\/\\S*\\/sh'/, "'<sh>'");
${all.map(([call]) => `answers.push(await (async () => ${call})().catch(said));`).join("\n")}
console.log("ANSWERS " + JSON.stringify(answers));
`;

const workflow = JSON.stringify({
  name: "Kit",
  on: { push: {} },
  permissions: { contents: "read", actions: "write", "id-token": "write" },
  jobs: {
    kit: {
      "runs-on": "ubuntu-latest",
      steps: [
        { uses: "actions/checkout@v5" },
        {
          uses: "./kit",
          with: {
            token: "${{ github.token }}",
            lines: "a\n\n b ",
            blank: "  x ",
            yes: "TRUE",
          },
        },
      ],
    },
  },
});
const manifest = "inputs: { token: {}, lines: {}, blank: {}, yes: {} }\nruns: { using: node24, main: main.mjs }\n";

async function answersOf(tidegate: Tidegate, run: RunDetail): Promise<unknown> {
  const { stdout } = await tidegate.cli(["logs", run.id, "--json"]);
  const lines = (JSON.parse(stdout) as readonly { readonly text: string }[]).map(({ text }) => text);
  equal(run.conclusion, "success", lines.join("\n"));
  return JSON.parse(lines.find((line) => line.startsWith("ANSWERS "))?.slice("ANSWERS ".length) ?? "null");
}

async function ended(tidegate: Tidegate, count: number): Promise<RunDetail> {
  return await until(
    tidegate,
    "a run's end",
    async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs");
      const [newest] = items.toSorted((one, other) => Number(other.id) - Number(one.id));
      if (items.length < count || newest?.status !== "completed") return undefined;
      return await tidegate.api<RunDetail>(`/runs/${newest.id}`);
    },
    240,
  );
}

const missing = existsSync(join(toolkit, "artifact"))
  ? false
  : "TIDEGATE_TOOLKIT names no folder with GitHub's toolkit";

describe("Given GitHub's toolkit as it is", { skip: missing }, () => {
  test("what it asks of a run, it gets", async () => {
    await using tidegate = await startTidegate();
    const work = await newRepository(tidegate, "acme/shop");
    const files = { "kit/action.yml": manifest, ".github/workflows/kit.yml": workflow };
    await work.push("own", { ...files, "kit/main.mjs": script(calls) });
    const first = await ended(tidegate, 1);
    deepEqual(
      await answersOf(tidegate, first),
      calls.map(([, want]) => want),
    );
    await work.push("earlier", { "kit/main.mjs": script(elsewhere, first.id) });
    deepEqual(
      await answersOf(tidegate, await ended(tidegate, 2)),
      elsewhere.map(([, want]) => want),
    );
  });
});
