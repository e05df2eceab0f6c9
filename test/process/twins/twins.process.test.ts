/**
 * Official actions, unmodified, and our built-in twins of them, on the same commit of the same repository: the same
 * outputs, environment, files, annotations and ends. TIDEGATE_ACTION_BUNDLES names a folder with the repositories of the
 * actions, as `<folder>/actions/checkout`; they are no part of this repository.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { RunDetail, RunSummary } from "#api";
import { run } from "../../support/run-command.ts";
import { startTidegate, type Tidegate } from "../../support/start-tidegate.ts";
import { until } from "../../support/until.ts";
import { skipWithout } from "../../support/needs.ts";
import { newRepository, type WorkCopy } from "../../support/work-copy.ts";
import { twinCases, type TwinCase } from "./cases.ts";
import { fillTools } from "./tool-cases.ts";
import { factsOf, probe, workflowOf, type JobLine } from "./facts.ts";

const bundles = process.env["TIDEGATE_ACTION_BUNDLES"] ?? "";
/** Of all cases, those of references that begin so. */
const only = process.env["TIDEGATE_ACTION_TRIAL"] ?? "";

interface Attempt {
  readonly name: string;
  readonly policy: string;
  /** Where an action has to come from. */
  readonly source: (uses: string) => string;
}

/** The official ones and ours, and for those that hand on files, each with the other. */
const attempts: readonly Attempt[] = [
  { name: "official", policy: "order: [remote, local]\n", source: () => "remote" },
  { name: "ours", policy: "order: [built-in, local]\n", source: () => "built-in" },
  {
    name: "official downloads of our uploads",
    policy: "order: [built-in, local]\noverrides: { actions/download-artifact: [remote] }\n",
    source: (uses) => (uses.startsWith("actions/download-artifact") ? "remote" : "built-in"),
  },
  {
    name: "our downloads of official uploads",
    policy: "order: [remote, local]\noverrides: { actions/download-artifact: [built-in] }\n",
    source: (uses) => (uses.startsWith("actions/download-artifact") ? "built-in" : "remote"),
  },
];

function reasonToSkip(): string | false {
  if (bundles !== "" && existsSync(join(bundles, "actions", "checkout"))) return false;
  return "TIDEGATE_ACTION_BUNDLES names no folder with actions/checkout and others in it";
}

/** Each has a workflow of its own: one of all would be larger than any that people write. */
function actionOf({ uses }: TwinCase): string {
  return uses.split("@")[0] ?? "";
}

interface Tried {
  readonly cases: readonly TwinCase[];
  /** Of each attempt, one for each action. */
  readonly runs: ReadonlyMap<string, readonly RunDetail[]>;
  readonly logs: ReadonlyMap<string, readonly JobLine[]>;
}

async function tryAll(): Promise<Tried> {
  await using tidegate = await startTidegate({ jobs: 4 });
  const cases = twinCases(tidegate)
    .filter(({ needs }) => needs === undefined || skipWithout(needs) === false)
    .filter(
      ({ uses }) =>
        uses.startsWith(only) && existsSync(join(bundles, ...(uses.split("@")[0] ?? "").split("/").slice(0, 2))),
    );
  const work = await newRepository(tidegate, "acme/shop");
  await fillToolCache(tidegate);
  await prepareRepository(tidegate, work, cases);
  const actions = Map.groupBy(cases, actionOf);
  const runs = new Map<string, readonly RunDetail[]>();
  const logs = new Map<string, readonly JobLine[]>();
  for (const [index, { name, policy }] of attempts.entries()) {
    // The third and fourth attempts are about twins that work together.
    const again = [...actions]
      .filter(([, all]) => index < 2 || all.some(({ mixed }) => mixed))
      .map(([action]) => action);
    await writeFile(join(tidegate.home, "actions.yml"), `hosts: ["file://${bundles}"]\n${policy}`);
    if (index === 0) await work.push("start", { start: "1\n" });
    const first = (runs.get("official") ?? []).filter((run) => again.includes(run.workflow));
    for (const { id } of first) await tidegate.cli(["runs", "rerun", id]);
    const done = await completed(tidegate, index + 1, again.length);
    runs.set(name, done);
    const lines = await Promise.all(done.map(async ({ id }) => (await tidegate.cli(["logs", id, "--json"])).stdout));
    logs.set(
      name,
      lines.flatMap((text) => JSON.parse(text) as readonly JobLine[]),
    );
  }
  return { cases, runs, logs };
}

/** All cases in a row take far longer than any other test. */
const attemptSeconds = 7200;

async function completed(tidegate: Tidegate, attempt: number, count: number): Promise<readonly RunDetail[]> {
  return await until(
    tidegate,
    `the end of attempt ${attempt}`,
    async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs");
      const done = items.filter((one) => one.attempt === attempt && one.status === "completed");
      if (done.length < count) return undefined;
      return await Promise.all(done.map(async ({ id }) => await tidegate.api<RunDetail>(`/runs/${id}`)));
    },
    attemptSeconds,
  );
}

const skip = reasonToSkip();
// Before there is any test: what a test may take at most is no measure of it.
const tried = skip === false ? await tryAll() : undefined;

describe("Given the official actions beside ours", { skip }, () => {
  test("each pair does the same", async (context) => {
    for (const one of tried?.cases ?? []) {
      await context.test(`${one.uses}: ${one.name}`, () => {
        const told = attempts.slice(0, one.mixed === true ? 4 : 2).map(({ name, source }) => {
          const run = tried?.runs.get(name)?.find((found) => found.workflow === actionOf(one));
          const job = run?.jobs.find((found) => found.key === one.key);
          const used = job?.actions?.find(({ uses }) => uses === one.uses);
          assert.equal(used?.source, source(one.uses), JSON.stringify([job, run?.problems]));
          return { name, facts: factsOf(job, tried?.logs.get(name) ?? [], one) };
        });
        for (const { name, facts } of told) assert.deepEqual(facts, told[0]?.facts, name);
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

/** A submodule, as a commit has it. */
async function link(work: WorkCopy, path: string, url: string, sha: string): Promise<void> {
  await mkdir(join(work.folder, path));
  await work.git(["config", "--file", ".gitmodules", `submodule.${path}.path`, path]);
  await work.git(["config", "--file", ".gitmodules", `submodule.${path}.url`, url]);
  await work.git(["update-index", "--add", "--cacheinfo", `160000,${sha},${path}`]);
}

async function prepareRepository(tidegate: Tidegate, work: WorkCopy, cases: readonly TwinCase[]): Promise<void> {
  const sub = await newRepository(tidegate, "acme/part");
  const part = await sub.push("part", { "part.txt": "part\n" });
  const nested = await newRepository(tidegate, "acme/whole");
  await link(nested, "sub", "../part", part.sha);
  const whole = await nested.push("whole", { "whole.txt": "whole\n" });
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
  await work.git(["switch", "--quiet", "--create", "nested"]);
  await link(work, "whole", "../whole", whole.sha);
  await work.commit("nested");
  await work.git(["push", "--quiet", "origin", "nested"]);
  await work.git(["switch", "--quiet", "-"]);
  await rm(join(work.folder, "whole"), { recursive: true, force: true });
  const add = [
    "submodule",
    "--quiet",
    "add",
    `http://ada:${tidegate.adminToken}@127.0.0.1:${tidegate.controlPort}/acme/part`,
    "sub",
  ];
  await run("git", add, { env, cwd: work.folder });
  await work.git(["config", "--file", ".gitmodules", "submodule.sub.url", "../part"]);
  const workflows = [...Map.groupBy(cases, actionOf)].map(([action, all]) => [
    `.github/workflows/${action.replaceAll(/\W/g, "-")}.yml`,
    workflowOf(action, all),
  ]);
  await work.commit("second", { ...probe, ...(Object.fromEntries(workflows) as Record<string, string>) });
}
