/**
 * How long workflows take beside act: `npm run bench -- workflows [rounds] [--json]`.
 *
 * Ours is a push to the real thing: `tidegate up` with its runner process, from before `git push` starts to the time at
 * which the run has completed, log and all durably kept; and the same workflow dispatched, which has no push in it, as
 * act has none. Act's is `act push` on the same working tree with steps on the machine itself
 * (`-P ubuntu-latest=-self-hosted`), from the start of its process to its end, its output written to a file. Both run as
 * many jobs at once as there are cores, and all go in turn. Figures are medians.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readdir, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { RunDetail } from "#api";
import { table } from "../src/cli/output.ts";
import { skipWithout } from "../test/support/needs.ts";
import { startTidegate, type Tidegate } from "../test/support/start-tidegate.ts";
import { newRepository, type WorkCopy } from "../test/support/work-copy.ts";
import { barePushMs, bareShellMs, watchedLineMs } from "./workflows/beside.ts";
import { cases, type Case, type CaseName, stepCount } from "./workflows/cases.ts";

const json = process.argv.includes("--json");
const rounds = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 3);

const missing = skipWithout("act");
if (missing !== false) {
  console.error(`Cannot compare with act: ${missing}. Build it first: node scripts/peers.ts act`);
  process.exit(2);
}

interface Sample {
  readonly oursMs: number;
  /** From before it was dispatched to its end. */
  readonly dispatchedMs: number;
  readonly actMs: number;
  readonly run: RunDetail;
  /** Before `git push` started, in milliseconds since 1970. */
  readonly pushedMs: number;
}

await measure();

async function measure(): Promise<void> {
  await using tidegate = await startTidegate({ jobs: availableParallelism() });
  const samples = new Map<CaseName, Sample[]>();
  const copies = new Map<CaseName, WorkCopy>();
  for (const one of cases) {
    copies.set(one.name, await newRepository(tidegate, `bench/${one.repository}`));
    samples.set(one.name, []);
  }
  // The first push of a case makes its repository warm, as act's first run reads its files.
  for (let round = 0; round <= rounds; round++) {
    for (const one of cases) {
      const copy = copies.get(one.name);
      if (copy === undefined || (round === 0 && one.large) || round > (one.large ? 1 : rounds)) continue;
      say(`${one.name}, round ${round}`);
      const sample = await takeSample(tidegate, copy, one, round);
      if (round > 0) samples.get(one.name)?.push(sample);
    }
  }
  const shellMs = await bareShellMs(tidegate.env);
  const beside = { shellMs, pushMs: await barePushMs(tidegate), lineMs: json ? [] : await watchedLineMs(tidegate) };
  report(samples, beside);
}

async function takeSample(tidegate: Tidegate, copy: WorkCopy, one: Case, round: number): Promise<Sample> {
  await copy.commit(`Round ${round}`, { ".github/workflows/bench.yml": `# round ${round}\n${one.text}` });
  const pushedMs = nowMs();
  await copy.git(["push", "--quiet", "origin", "HEAD:main"]);
  const run = await completed(tidegate, one);
  const oursMs = at(run.completedAt) - pushedMs;
  await tidiedUp(tidegate);
  const dispatchedMs = await runDispatched(tidegate, one);
  await tidiedUp(tidegate);
  const actMs = await runAct(tidegate, copy);
  return { oursMs, dispatchedMs, actMs, run, pushedMs };
}

async function runDispatched(tidegate: Tidegate, one: Case): Promise<number> {
  const startedMs = nowMs();
  await tidegate.api(`/repositories/bench/${one.repository}/workflows/bench.yml/dispatches`, {
    method: "POST",
    body: { ref: "main" },
  });
  return at((await completed(tidegate, one)).completedAt) - startedMs;
}

/** Looked at now and then; what counts are the server's own times, by the same clock. */
async function completed(tidegate: Tidegate, { repository, name }: Case): Promise<RunDetail> {
  for (;;) {
    const { items } = await tidegate.api<{ items: { id: string; status: string; conclusion?: string }[] }>(
      `/runs?repository=bench/${repository}&limit=1`,
    );
    const [run] = items;
    if (run?.status === "completed") {
      if (run.conclusion !== "success") throw new Error(`The run of "${name}" ended as ${run.conclusion}`);
      return await tidegate.api<RunDetail>(`/runs/${run.id}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The runner removes the files of jobs when they are over: that must not be in the way of the other. */
async function tidiedUp({ home }: Tidegate): Promise<void> {
  while ((await readdir(join(home, "runner", "work", "jobs"))).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function runAct(tidegate: Tidegate, copy: WorkCopy): Promise<number> {
  const home = join(tidegate.scratch, "act");
  await mkdir(join(home, "act"), { recursive: true });
  // Without a configuration it asks which images to use.
  await writeFile(join(home, "act", "actrc"), "");
  const file = join(home, "output.log");
  const output = await open(file, "w");
  const path = process.env["PATH"] ?? "";
  const startedMs = performance.now();
  const child = spawn("act", ["push", "-P", "ubuntu-latest=-self-hosted"], {
    cwd: copy.folder,
    env: { ...tidegate.env, PATH: path, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: join(home, "cache") },
    stdio: ["ignore", output.fd, output.fd],
  });
  const [code] = (await once(child, "exit")) as [number | null];
  const ms = performance.now() - startedMs;
  await output.close();
  await rm(file);
  if (code !== 0) throw new Error(`act ended with ${code}`);
  return ms;
}

/** Milliseconds since 1970 with fractions, by the clock that the server reads. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

interface Beside {
  readonly shellMs: number;
  readonly pushMs: number;
  readonly lineMs: readonly number[];
}

function report(samples: ReadonlyMap<CaseName, readonly Sample[]>, { shellMs, pushMs, lineMs }: Beside): void {
  const rows = [...samples].map(([name, list]) => {
    const ours = median(list.map((sample) => sample.oursMs));
    const dispatched = median(list.map((sample) => sample.dispatchedMs));
    const act = median(list.map((sample) => sample.actMs));
    return { name, ours, dispatched, act, ratio: ours / act };
  });
  const trivial = samples.get("1 job × 20 steps") ?? [];
  const stepMs = median(trivial.map(({ run }) => stepsMs(run) / stepCount));
  const stepOverheadMs = round(Math.max(0, stepMs - shellMs));
  const pushToFirstStepMs = round(median(trivial.map(({ run, pushedMs }) => firstStepMs(run) - pushedMs)));
  const ratioToAct = Object.fromEntries(rows.map(({ name, ratio }) => [name, Number(ratio.toFixed(2))]));
  if (json) {
    console.log(JSON.stringify({ ratioToAct, stepOverheadMs, pushToFirstStepMs }, undefined, 2));
    return;
  }
  const times = (value: number): string => `${value.toFixed(2)}×`;
  const cells = rows.map(({ name, ours, dispatched, act, ratio }) => {
    return [name, ms(act), ms(ours), times(ratio), ms(dispatched), times(dispatched / act)];
  });
  console.log(table(["case", "act", "push to end", "ratio", "dispatch to end", "ratio"], cells));
  console.log(`One of the trivial steps: ${stepMs.toFixed(1)} ms, of which bash alone ${shellMs.toFixed(1)} ms`);
  const alone = `git push alone, to a bare repository in a folder: ${ms(pushMs)}`;
  console.log(`From before git push to the first step: ${pushToFirstStepMs} ms; ${alone}`);
  console.log(`From a step's echo to whoever watches the log: ${round(median(lineMs))} ms`);
}

/** From the start of the first of the file's steps to the end of the last one. */
function stepsMs(run: RunDetail): number {
  const steps = (run.jobs[0]?.steps ?? []).filter((step) => step.name.startsWith("Run "));
  return at(steps.at(-1)?.completedAt) - at(steps[0]?.startedAt);
}

function firstStepMs(run: RunDetail): number {
  return at((run.jobs[0]?.steps ?? []).find((step) => step.name.startsWith("Run "))?.startedAt);
}

function at(time: string | undefined): number {
  return time === undefined ? Number.NaN : Temporal.Instant.from(time).epochMilliseconds;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function round(value: number): number {
  return Number(value.toFixed(1));
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}

function say(text: string): void {
  if (!json) process.stderr.write(`${text}\n`);
}
