/**
 * Official actions, unmodified, and our built-in twins of them, on the same commit of the same repository: the same
 * outputs, environment, files, annotations and ends. TIDEGATE_ACTION_BUNDLES names a folder with the repositories of the
 * actions, as `<folder>/actions/checkout`; they are no part of this repository.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { JobDetail, RunDetail, RunSummary } from "#api";
import { run } from "../../support/run-command.ts";
import { startTidegate, type Tidegate } from "../../support/start-tidegate.ts";
import { until } from "../../support/until.ts";
import { newRepository, type WorkCopy } from "../../support/work-copy.ts";
import { twinCases, type TwinCase } from "./cases.ts";
import { fillTools } from "./tool-cases.ts";
import { factsOf, probe, workflowOf, type JobLine } from "./facts.ts";

const bundles = process.env["TIDEGATE_ACTION_BUNDLES"] ?? "";
/** Of all cases, those of references that begin so. */
const only = process.env["TIDEGATE_ACTION_TRIAL"] ?? "";

function reasonToSkip(): string | false {
  if (bundles !== "" && existsSync(join(bundles, "actions", "checkout"))) return false;
  return "TIDEGATE_ACTION_BUNDLES names no folder with actions/checkout and others in it";
}

describe("Given the official actions beside ours", { skip: reasonToSkip() }, () => {
  let tidegate: Tidegate;
  let work: WorkCopy;
  const runs = new Map<string, RunDetail>();
  const logs = new Map<string, readonly JobLine[]>();
  let cases: readonly TwinCase[] = [];

  before(async () => {
    tidegate = await startTidegate({ jobs: 2 });
    cases = twinCases(tidegate).filter(
      ({ uses }) => uses.startsWith(only) && existsSync(join(bundles, uses.split("@")[0] ?? "")),
    );
    work = await newRepository(tidegate, "acme/shop");
    await fillToolCache(tidegate);
    await prepareRepository(tidegate, work, cases);
    for (const source of ["remote", "built-in"]) {
      await policy(source);
      if (source === "remote") await work.push("start", { start: "1\n" });
      else await tidegate.cli(["runs", "rerun", runs.get("remote")?.id ?? ""]);
      const done = await completed(source === "remote" ? 1 : 2);
      runs.set(source, done);
      const { stdout } = await tidegate.cli(["logs", done.id, "--json"]);
      logs.set(source, JSON.parse(stdout) as readonly JobLine[]);
    }
  });
  after(async () => await tidegate[Symbol.asyncDispose]());

  async function policy(source: string): Promise<void> {
    await writeFile(join(tidegate.home, "actions.yml"), `hosts: ["file://${bundles}"]\norder: [${source}, local]\n`);
  }

  const completed = (attempt: number): Promise<RunDetail> =>
    until(
      tidegate,
      "the run's end",
      async () => {
        const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs");
        const found = items.find((one) => one.attempt === attempt && one.status === "completed");
        return found === undefined ? undefined : await tidegate.api<RunDetail>(`/runs/${found.id}`);
      },
      900,
    );

  const jobOf = (source: string, key: string): JobDetail | undefined =>
    runs.get(source)?.jobs.find((job) => job.key === key);

  test("each pair does the same", async (context) => {
    for (const one of cases) {
      await context.test(`${one.uses}: ${one.name}`, () => {
        const [real, twin] = ["remote", "built-in"].map((source) => {
          const job = jobOf(source, one.key);
          const used = job?.actions?.find(({ uses }) => uses === one.uses);
          assert.equal(used?.source, source, JSON.stringify([job, runs.get(source)?.problems]));
          return factsOf(job, logs.get(source) ?? [], one);
        });
        assert.deepEqual(twin, real);
      });
    }
  });
});

/** A Node of the runner's own, so that nothing has to be downloaded. */
async function fillToolCache({ home }: Tidegate): Promise<void> {
  const tools = join(home, "runner", "work", "shared", "tools");
  await fillTools(tools);
  const folder = join(tools, "node", "22.11.0");
  await mkdir(join(folder, "x64", "bin"), { recursive: true });
  await symlink(process.execPath, join(folder, "x64", "bin", "node"));
  await writeFile(join(folder, "x64.complete"), "");
}

async function prepareRepository(tidegate: Tidegate, work: WorkCopy, cases: readonly TwinCase[]): Promise<void> {
  const sub = await newRepository(tidegate, "acme/part");
  await sub.push("part", { "part.txt": "part\n" });
  const env = { ...tidegate.env, GIT_ALLOW_PROTOCOL: "file:http" };
  await work.commit("first", {
    "a/one.txt": "1\n",
    "b/two.txt": "2\n",
    "c/d/three.txt": "3\n",
    ".nvmrc": "v22.11.0\n",
  });
  await work.git(["tag", "--annotate", "--message", "release", "v1.2.3"]);
  await work.git(["tag", "light"]);
  await work.git(["push", "--quiet", "origin", "HEAD:refs/heads/old", "v1.2.3", "light"]);
  const add = [
    "submodule",
    "--quiet",
    "add",
    `http://ada:${tidegate.adminToken}@127.0.0.1:${tidegate.controlPort}/acme/part`,
    "sub",
  ];
  await run("git", add, { env, cwd: work.folder });
  await work.git(["config", "--file", ".gitmodules", "submodule.sub.url", "../part"]);
  await work.commit("second", { ...probe, ".github/workflows/twins.yml": workflowOf(cases) });
}
