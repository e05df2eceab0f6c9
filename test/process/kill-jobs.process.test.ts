/**
 * Control and runner are killed at random moments of runs of 30 jobs: every job runs once, or is counted as lost and
 * tried again; no try runs beside another; and no line of a log that anybody has seen is ever lost.
 * KILL_ROUNDS=50 is the long form; SEED repeats one.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import type { RunDetail, RunLogLine, RunSummary } from "#api";
import { processesOf, processOf } from "../support/processes.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

const rounds = Number(process.env["KILL_ROUNDS"] ?? 3);
const seed = Number(process.env["SEED"] ?? 20_261_121);
const jobs = 30;
const linesOfJob = 12;
const killsOfRound = 5;
const roundMs = 120_000;

const workflow = (marks: string): string => `
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    strategy: { fail-fast: false, matrix: { n: [${Array.from({ length: jobs }, (_, index) => index).join(", ")}] } }
    steps:
      - name: count
        shell: sh
        run: |
          mark() { echo "$GITHUB_RUN_ID \${{ matrix.n }} $$ $1" >> ${marks}; }
          mark begin
          i=1
          while [ $i -le ${linesOfJob} ]; do
            mark $i; echo "line $i of job \${{ matrix.n }}"; sleep 0.02; i=$((i+1))
          done
          mark end
`;

let tidegate: Tidegate;
let work: WorkCopy;
let marks = "";

before(async () => {
  tidegate = await startTidegate({ jobs: 4 });
  marks = join(tidegate.scratch, "marks");
  work = await newRepository(tidegate, "acme/jobs");
});
after(async () => {
  await tidegate[Symbol.asyncDispose]();
  assert.deepEqual(processesOf(tidegate.scratch), [], "nothing runs on");
});

const total = { kills: 0, lost: 0, again: 0, seen: 0 };

for (let round = 1; round <= rounds; round++) {
  test(`round ${round}: every job once, or lost and tried again, and no seen line is lost`, async (t) => {
    const random = seededRandom(seed + round);
    const { sha } = await work.push(`round ${round}`, { ".github/workflows/jobs.yml": workflow(marks) });
    const seen = new Map<string, Set<string>>();
    const kills: string[] = [];
    const over = new AbortController();
    const killing = killAtRandom(random, kills, over.signal);
    let run: RunDetail;
    try {
      run = await follow(sha, seen);
    } finally {
      over.abort();
      await killing;
    }
    check(run, seen);
    total.kills += kills.length;
    t.diagnostic(`SEED=${seed}: ${kills.join(", ")}`);
  });
}

test("what the rounds came to", (t) => {
  t.diagnostic(
    `${rounds} rounds of ${jobs} jobs: ${total.kills} kills, ${total.again} jobs tried again, ` +
      `${total.lost} reported lost for good, ${total.seen} lines seen on the way, none of them lost`,
  );
  assert.ok(total.kills >= rounds, "the kills came before the runs were over");
});

/** Kills control, the runner, or both, at moments that the seed decides. */
async function killAtRandom(random: () => number, kills: string[], signal: AbortSignal): Promise<void> {
  const [control, runner] = ["server/process/main.ts", "runner/process/main.ts"] as const;
  for (let count = 0; count < killsOfRound; count++) {
    await pause(100 + random() * 900);
    const dice = random();
    const victims = dice < 0.4 ? [control] : dice < 0.8 ? [runner] : [control, runner];
    if (signal.aborted) return;
    for (const part of victims) {
      const found = processOf(tidegate.scratch, part);
      if (found === undefined) continue;
      process.kill(found.pid, "SIGKILL");
      kills.push(part.split("/")[0] ?? part);
    }
  }
}

/** Reads the logs of what runs, over and over, until the run has ended. What is answered has been acknowledged. */
async function follow(sha: string, seen: Map<string, Set<string>>): Promise<RunDetail> {
  const deadline = AbortSignal.timeout(roundMs);
  for (;;) {
    deadline.throwIfAborted();
    try {
      const { items } = await tidegate.api<{ items: RunSummary[] }>(`/runs?sha=${sha}`);
      const id = items[0]?.id;
      if (id !== undefined) {
        const run = await tidegate.api<RunDetail>(`/runs/${id}`);
        if (run.status === "completed") return run;
        for (const job of run.jobs.filter(({ status }) => status === "in_progress")) await look(job.id, seen);
      }
    } catch (error) {
      // Killed in the middle of the answer: it is back in a moment.
      if (deadline.aborted) throw error;
    }
    await pause(30);
  }
}

async function look(job: string, seen: Map<string, Set<string>>): Promise<void> {
  const response = await fetch(`${tidegate.url}/api/tidegate/v1/jobs/${job}/log`, {
    headers: { authorization: `Bearer ${tidegate.adminToken}` },
  });
  const known = seen.get(job) ?? new Set();
  seen.set(job, known);
  for (const text of (await response.text()).split("\n").filter((line) => line !== "")) {
    const line = JSON.parse(text) as RunLogLine;
    known.add(`${line.step} ${line.time} ${line.text}`);
  }
}

function check(run: RunDetail, seen: ReadonlyMap<string, ReadonlySet<string>>): void {
  const tries = triesOf(run.id);
  const executions = executionsOf(run.id);
  assert.equal(run.jobs.length, jobs);
  for (const job of run.jobs) {
    const n = /\((\d+)\)/.exec(job.name)?.[1] ?? "";
    const given = tries.get(job.id) ?? 0;
    const mine = executions.get(n) ?? [];
    const what = `job ${job.name} (${job.id}), given ${given} times, ran as ${JSON.stringify(mine)}`;
    assert.ok(mine.length <= given, `${what}: each execution was a try that is counted`);
    assertOneAfterTheOther(mine, what);
    if (job.conclusion === "success") assertWhole(job.id, given, n, mine, what);
    else {
      assert.match(job.message ?? "", /^The runner .*\. That was try \d+ of \d+/, what);
      total.lost += 1;
    }
    if (given > 1) total.again += 1;
    const kept = keptLines(job.id);
    for (const line of seen.get(job.id) ?? [])
      assert.ok(kept.has(line), `${what}: the line "${line}" was seen and is gone`);
    total.seen += seen.get(job.id)?.size ?? 0;
  }
}

interface Execution {
  readonly pid: string;
  readonly marks: string[];
  /** Where in the file of all marks it has its first and last. */
  readonly first: number;
  last: number;
}

function assertOneAfterTheOther(executions: readonly Execution[], what: string): void {
  for (const [index, execution] of executions.entries()) {
    const before = executions[index - 1];
    if (before !== undefined) assert.ok(before.last < execution.first, `${what}: two ran at a time`);
  }
}

/** The log of the last try is exactly what the script printed, and that try ran to its end. */
function assertWhole(job: string, given: number, n: string, executions: readonly Execution[], what: string): void {
  const last = executions.at(-1);
  assert.equal(last?.marks.at(-1), "end", what);
  if (given === 1) assert.equal(executions.length, 1, what);
  const printed = logLines(job, given).filter((line) => line.startsWith("line "));
  const want = Array.from({ length: linesOfJob }, (_, index) => `line ${index + 1} of job ${n}`);
  assert.deepEqual(printed, want, what);
}

function executionsOf(run: string): Map<string, Execution[]> {
  const found = new Map<string, Execution[]>();
  for (const [at, line] of readFileSync(marks, "utf8").split("\n").entries()) {
    const [ofRun, n = "", pid = "", mark = ""] = line.split(" ");
    if (ofRun !== run) continue;
    const mine = found.get(n) ?? [];
    found.set(n, mine);
    const known = mine.find((execution) => execution.pid === pid);
    if (known === undefined) mine.push({ pid, marks: [mark], first: at, last: at });
    else {
      known.marks.push(mark);
      known.last = at;
    }
  }
  return found;
}

function triesOf(run: string): Map<string, number> {
  using database = new DatabaseSync(join(tidegate.home, "tidegate.db"), { readOnly: true });
  const rows = database.prepare("SELECT id, tries FROM workflows_jobs WHERE run_id = ?").all(Number(run));
  return new Map(rows.map(({ id, tries }) => [String(id), Number(tries)]));
}

/** Of all tries, as they are on disk. */
function keptLines(job: string): ReadonlySet<string> {
  const folder = join(tidegate.home, "workflows", "logs", job);
  const lines = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => {
      const step = entry.name.replace(/\.log$/, "");
      const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
      return text.split("\n").map((line) => `${step} ${line}`);
    });
  return new Set(lines);
}

function logLines(job: string, attempt: number): string[] {
  const folder = join(tidegate.home, "workflows", "logs", job, String(attempt));
  const files = readdirSync(folder).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  return files.flatMap((file) =>
    readFileSync(join(folder, file), "utf8")
      .split("\n")
      .map((line) => line.slice(line.indexOf(" ") + 1)),
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
