/**
 * Official actions, unmodified, and our built-in twins of them, on the same commit of the same repository: the same
 * outputs, environment, files, annotations and ends. TIDEGATE_ACTION_BUNDLES names a folder with the repositories of the
 * actions, as `<folder>/actions/checkout`; they are no part of this repository.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { JobDetail, RunDetail, RunSummary } from "#api";
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

describe("Given the official actions beside ours", { skip: reasonToSkip() }, () => {
  let tidegate: Tidegate;
  let work: WorkCopy;
  const runs = new Map<string, RunDetail>();
  const logs = new Map<string, readonly JobLine[]>();
  let cases: readonly TwinCase[] = [];

  before(async () => {
    tidegate = await startTidegate({ jobs: 2 });
    cases = twinCases(tidegate)
      .filter(({ needs }) => needs === undefined || skipWithout(needs) === false)
      .filter(
        ({ uses }) =>
          uses.startsWith(only) && existsSync(join(bundles, ...(uses.split("@")[0] ?? "").split("/").slice(0, 2))),
      );
    work = await newRepository(tidegate, "acme/shop");
    await fillToolCache(tidegate);
    await prepareRepository(tidegate, work, cases);
    for (const [index, { name, policy }] of attempts.entries()) {
      if (index > 1 && !cases.some(({ mixed }) => mixed)) break;
      await writeFile(join(tidegate.home, "actions.yml"), `hosts: ["file://${bundles}"]\n${policy}`);
      if (index === 0) await work.push("start", { start: "1\n" });
      else await tidegate.cli(["runs", "rerun", runs.get("official")?.id ?? ""]);
      const done = await completed(index + 1);
      runs.set(name, done);
      const { stdout } = await tidegate.cli(["logs", done.id, "--json"]);
      logs.set(name, JSON.parse(stdout) as readonly JobLine[]);
    }
  });
  after(async () => await tidegate[Symbol.asyncDispose]());

  const completed = (attempt: number): Promise<RunDetail> =>
    until(
      tidegate,
      "the run's end",
      async () => {
        const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs");
        const found = items.find((one) => one.attempt === attempt && one.status === "completed");
        return found === undefined ? undefined : await tidegate.api<RunDetail>(`/runs/${found.id}`);
      },
      3000,
    );

  const jobOf = (attempt: string, key: string): JobDetail | undefined =>
    runs.get(attempt)?.jobs.find((job) => job.key === key);

  test("each pair does the same", async (context) => {
    for (const one of cases) {
      await context.test(`${one.uses}: ${one.name}`, () => {
        const told = attempts.slice(0, one.mixed === true ? 4 : 2).map(({ name, source }) => {
          const job = jobOf(name, one.key);
          const used = job?.actions?.find(({ uses }) => uses === one.uses);
          assert.equal(used?.source, source(one.uses), JSON.stringify([job, runs.get(name)?.problems]));
          return { name, facts: factsOf(job, logs.get(name) ?? [], one) };
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
  await work.commit("second", { ...probe, ".github/workflows/twins.yml": workflowOf(cases) });
}
