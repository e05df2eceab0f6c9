/** What a pusher is told: problems of the workflow files in the push, and the runs that it started. */
import { isJobName } from "#api";
import { type Clock, formatProblem, hasErrors } from "#lib";
import type { ObjectReader, Push, PushCheckPort, PushVerdict, RefRefusal, RefUpdate, Repositories } from "#git";
import { readPolicies } from "#lint";
import { giveWayMs, type Workflows } from "#workflows";
import { commitFiles } from "./action-files.ts";
import { defaultBranch, lintPush } from "./lint-push.ts";
import type { RecentFindings } from "./recent-findings.ts";
import { commitOf, pushEvent } from "./push-event.ts";
import { changedWorkflow, workflowRefusal } from "./workflow-guard.ts";

export interface PushCheckOptions {
  readonly clock: Clock;
  readonly workflows: Workflows;
  readonly repositories: Pick<Repositories, "resolve" | "reader">;
  readonly findings: RecentFindings;
  /** Where people see a run. */
  readonly runUrl: (runId: string) => string;
  /** Of a repository that mirrors another one: the URL of that. */
  readonly mirrorOf: (repository: string) => Promise<string | undefined>;
}

const maxLines = 20;
/** A push is answered soon: what a large file or a called repository would hold up stands on the run. */
const checkMs = 25_000;

export function pushChecks(options: PushCheckOptions): PushCheckPort {
  return {
    async check(push) {
      const mirrored = await options.mirrorOf(push.repository);
      if (mirrored !== undefined) {
        const reason = `this repository mirrors ${mirrored}: push there`;
        return { refuse: push.updates.map(({ ref }) => ({ ref, reason })), messages: [] };
      }
      const beyond = await refuseWorkflows(push);
      if (beyond.length > 0) return { refuse: beyond, messages: [] };
      const standing = await defaultBranch(await options.repositories.reader(push.repository, push.signal));
      const advise = async (objects: ObjectReader, signal: AbortSignal): Promise<PushVerdict> => {
        const [problems, lint] = await Promise.all([
          workflowProblems(options.workflows, { ...push, objects }, signal),
          lintPush({ ...push, objects }, standing, options.findings),
        ]);
        return { refuse: lint.refuse, messages: [...problems, ...lint.messages] };
      };
      if (readPolicies(standing.policyFiles).value.block !== "never") {
        return await advise(push.objects, AbortSignal.any([push.signal, AbortSignal.timeout(checkMs)]));
      }
      // Nothing will be refused: whatever follows from the push need not wait for what is said of it.
      const later = async (signal: AbortSignal): Promise<readonly string[]> => {
        await options.clock.sleep(giveWayMs, signal);
        return (await advise(await options.repositories.reader(push.repository, signal), signal)).messages;
      };
      return { messages: [], later };
    },
    async accepted(updates, signal) {
      const lines = await Promise.all(updates.map((update) => startRuns(options, update, signal)));
      return lines.flat();
    },
  };
}

/** What the token of a job may not push, whatever `permissions` say. */
async function refuseWorkflows({ pusher, updates, objects }: Push): Promise<readonly RefRefusal[]> {
  if (!isJobName(pusher.name)) return [];
  const refusals: RefRefusal[] = [];
  for (const update of updates) {
    const path = update.kind === "delete" ? undefined : await changedWorkflow(objects, update);
    if (path !== undefined) refusals.push({ ref: update.ref, reason: workflowRefusal(path) });
  }
  return refusals;
}

/**
 * A broken workflow file does not refuse the push, as on any forge: the commit may be the one that mends it next. It is
 * said here and stands on the failed run.
 */
async function workflowProblems(
  workflows: Workflows,
  push: Pick<Push, "repository" | "updates" | "objects">,
  signal: AbortSignal,
): Promise<string[]> {
  const lines: string[] = [];
  for (const update of push.updates) {
    if (!update.ref.startsWith("refs/heads/") || update.kind === "delete") continue;
    const { workflows: texts, manifests, rules } = await commitFiles(push.objects, update.after);
    const problems = [
      ...(await workflows.check(push.repository, update.after, texts, { signal, rules })),
      ...(await workflows.actions.check({ files: [...texts, ...manifests], rules }, { signal })),
    ];
    if (problems.length === 0) continue;
    lines.push(hasErrors(problems) ? "Tidegate: these workflow files will not run:" : "Tidegate: workflow warnings:");
    lines.push(...problems.slice(0, maxLines).map((problem) => `  ${formatProblem(problem)}`));
    if (problems.length > maxLines) lines.push(`  and ${problems.length - maxLines} more`);
  }
  return lines;
}

async function startRuns(options: PushCheckOptions, update: RefUpdate, signal: AbortSignal): Promise<string[]> {
  const commit = await commitOf(options.repositories, update);
  const event = commit === undefined ? undefined : pushEvent(update, commit);
  if (event === undefined) return [];
  const { workflows } = options;
  const ids = await workflows.accept(event, { signal });
  const runs = await Promise.all(ids.map((id) => workflows.getRun(id)));
  return runs
    .filter((run) => run !== undefined)
    .map((run) => `Tidegate: ${run.workflow.name} #${run.number} ${options.runUrl(run.id)}`);
}
