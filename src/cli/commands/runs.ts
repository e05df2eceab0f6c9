import type { Command } from "commander";
import { type JobDetail, type RunDetail, type RunReview, type RunSummary } from "#api";
import { formatProblem, systemClock } from "#lib";
import { command, type GlobalOptions, openSession } from "../command.ts";
import { addArtifactCommands } from "./artifacts.ts";
import { addReportCommands } from "./reports.ts";
import { addReviewCommands, reviewText } from "./reviews.ts";
import { ago, print, printJson, status, table } from "../output.ts";

export function runsCommand(): Command {
  const runs = command("runs", "List workflow runs, or show one", [
    "tidegate runs",
    "tidegate runs --repository acme/shop",
    "tidegate runs 12",
    "tidegate runs cancel 12",
    "tidegate runs approve 12 --environment production",
    "tidegate runs rerun 12 --failed",
  ])
    .argument("[run]", "id of a run")
    .option("--repository <owner/repo>", "only runs of this repository")
    .option("--limit <number>", "how many", "20")
    .action(showRuns);
  runs.addCommand(command("cancel", "Cancel a run", ["tidegate runs cancel 12"]).argument("<run>").action(cancelRun));
  runs.addCommand(
    command("rerun", "Run a completed run again", ["tidegate runs rerun 12 --failed"])
      .argument("<run>")
      .option("--failed", "only the jobs that failed, and what needs them")
      .action(rerunRun),
  );
  addReviewCommands(runs);
  addArtifactCommands(runs);
  addReportCommands(runs);
  return runs;
}

interface RunsOptions extends GlobalOptions {
  readonly repository?: string;
  readonly limit: string;
}

async function showRuns(id: string | undefined, options: RunsOptions): Promise<void> {
  const { client } = await openSession(options);
  if (id !== undefined) {
    const path = `/runs/${encodeURIComponent(id)}`;
    const run = await client.api<RunDetail>(path);
    const { items: reviews } = await client.api<{ items: RunReview[] }>(`${path}/reviews`);
    if (options.json === true) printJson({ ...run, reviews });
    else showRun(run, reviews);
    return;
  }
  const query = new URLSearchParams({ limit: options.limit });
  if (options.repository !== undefined) query.set("repository", options.repository);
  const { items } = await client.api<{ items: RunSummary[] }>(`/runs?${query.toString()}`);
  if (options.json === true) {
    printJson(items);
    return;
  }
  const now = systemClock.now();
  const rows = items.map((run) => [
    run.id,
    run.repository,
    run.workflow,
    status(wordOf(run)),
    run.event,
    run.sha.slice(0, 7),
    ago(run.createdAt, now),
    run.title.slice(0, 50),
  ]);
  print(table(["id", "repository", "workflow", "status", "event", "commit", "age", "title"], rows));
}

function showRun(run: RunDetail, reviews: readonly RunReview[]): void {
  print(`${run.workflow} #${run.number} of ${run.repository}@${run.sha.slice(0, 7)}: ${status(wordOf(run))}`);
  if (run.message !== undefined) print(`  ${run.message}`);
  for (const problem of run.problems) print(`  ${formatProblem(problem)}`);
  for (const review of reviews) print(`  ${reviewText(review)}`);
  for (const job of run.jobs) showJob(job, depthOf(job, run.jobs));
}

function wordOf({ conclusion, status: now, held }: Pick<RunSummary, "conclusion" | "status" | "held">): string {
  return conclusion ?? (held === true ? "waiting" : now);
}

/** Jobs of a called workflow stand below the job that calls it. */
function depthOf(job: JobDetail, jobs: readonly JobDetail[]): number {
  const parent = jobs.find((one) => one.id === job.parentId);
  return parent === undefined ? 0 : 1 + depthOf(parent, jobs);
}

function showJob(job: JobDetail, depth: number): void {
  const indent = "    ".repeat(depth);
  const calls = job.uses === undefined ? "" : ` (${job.uses})`;
  const message = job.message === undefined ? "" : `: ${job.message}`;
  print(`\n${indent}${status(wordOf(job))}  ${job.name}${calls}${message}`);
  for (const step of job.steps) print(`${indent}   ${status(step.conclusion ?? step.status).padEnd(10)}  ${step.name}`);
  for (const { level, path, startLine, message: text } of job.annotations) {
    print(`${indent}   ${level}: ${path === undefined ? "" : `${path}:${startLine ?? 1}: `}${text}`);
  }
  if (job.environmentUrl !== undefined) print(`${indent}   ${job.environment ?? ""}: ${job.environmentUrl}`);
}

async function cancelRun(id: string, options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  await client.api(`/runs/${encodeURIComponent(id)}/cancel`, { method: "POST", body: {} });
  if (options.json === true) printJson({ id, cancelled: true });
  else print(`Run ${id} is being cancelled.`);
}

async function rerunRun(id: string, options: GlobalOptions & { readonly failed?: boolean }): Promise<void> {
  const { client } = await openSession(options);
  await client.api(`/runs/${encodeURIComponent(id)}/rerun`, {
    method: "POST",
    body: { failedOnly: options.failed === true },
  });
  if (options.json === true) printJson({ id, rerun: true });
  else print(`Run ${id} starts again.`);
}
