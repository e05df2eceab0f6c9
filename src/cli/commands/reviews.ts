/** `tidegate runs pending | approve | reject`: what waits for an environment, and letting it go on or not. */
import type { Command } from "commander";
import type { PendingReview, RunReview } from "#api";
import { systemClock } from "#lib";
import { command, type GlobalOptions, openSession } from "../command.ts";
import { ago, print, printJson, table, until } from "../output.ts";

export function addReviewCommands(runs: Command): void {
  runs.addCommand(
    command("pending", "Show which jobs wait for an environment, and for whom", ["tidegate runs pending 12"])
      .argument("<run>")
      .action(showPending),
  );
  runs.addCommand(
    reviewCommand("approve", "Let jobs deploy that wait for a review", [
      'tidegate runs approve 12 --comment "Checked on staging"',
      "tidegate runs approve 12 --environment production --force   # as an administrator",
    ]).action((id: string, options: ReviewOptions) => review(id, "approved", options)),
  );
  runs.addCommand(
    reviewCommand("reject", "Fail jobs that wait for a review", [
      'tidegate runs reject 12 --environment production --comment "Not on a Friday"',
    ]).action((id: string, options: ReviewOptions) => review(id, "rejected", options)),
  );
}

function reviewCommand(name: string, description: string, examples: readonly string[]): Command {
  return command(name, description, examples)
    .argument("<run>")
    .option("--environment <name>", "only jobs that wait for this one; repeatable", collect)
    .option("--comment <text>", "why; kept with the run and on the timeline")
    .option("--force", "as an administrator: pass over reviewers and wait timer");
}

interface ReviewOptions extends GlobalOptions {
  readonly environment?: readonly string[];
  readonly comment?: string;
  readonly force?: boolean;
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

async function showPending(id: string, options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  const { items } = await client.api<{ items: PendingReview[] }>(`/runs/${encodeURIComponent(id)}/pending`);
  if (options.json === true) {
    printJson(items);
    return;
  }
  if (items.length === 0) {
    print(`No job of run ${id} waits for an environment.`);
    return;
  }
  const now = systemClock.now();
  const rows = items.map((item) => [
    item.environment.name,
    item.jobs.map(({ name }) => name).join(", "),
    item.review ? item.environment.reviewers.join(" or ") : "-",
    item.waitsUntil === undefined ? "-" : until(item.waitsUntil, now),
    ago(item.since, now),
    item.mayReview ? "yes" : item.mayForce ? "with --force" : "no",
  ]);
  print(table(["environment", "jobs", "reviewers", "timer ends", "waits for", "you may approve"], rows));
}

async function review(id: string, state: RunReview["state"], options: ReviewOptions): Promise<void> {
  const { environment = [], comment = "", force = false } = options;
  const { client } = await openSession(options);
  const body = { state, comment, force, ...(environment.length === 0 ? {} : { environments: environment }) };
  const path = `/runs/${encodeURIComponent(id)}/reviews`;
  const { items } = await client.api<{ items: RunReview[] }>(path, { method: "POST", body });
  if (options.json === true) {
    printJson(items);
    return;
  }
  if (items.length === 0) print("The jobs went on meanwhile: nothing was reviewed.");
  for (const one of items) print(reviewText(one));
}

/** `production: approved by ada for deploy: Checked on staging`. */
export function reviewText({ environment, state, actor, jobs, comment, forced }: RunReview): string {
  const how = forced ? ", passing the rules over" : "";
  return `${environment}: ${state} by ${actor}${how} for ${jobs.join(", ")}${comment === "" ? "" : `: ${comment}`}`;
}
