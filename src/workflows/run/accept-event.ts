/**
 * An event becomes runs, once. All rows of an event are written in one transaction that also notes the event, so after a
 * crash it was either accepted whole or is as if it had never come, and is told again.
 */
import { errorMessage, hasErrors, type Problem } from "#lib";
import { WorkflowsError } from "../errors.ts";
import { evaluateTemplate, evaluateValue, type Contexts } from "../expressions/evaluate.ts";
import type { Workflow } from "../parse/model.ts";
import { effectiveFiles, parseWorkflowFile } from "../parse/workflow-file.ts";
import { hasPathFilters, matchEvent } from "../plan/match-event.ts";
import type { RepositoryFacts } from "../ports.ts";
import type { ContextObject } from "../protocol.ts";
import { readDispatchInputs } from "./dispatch-inputs.ts";
import {
  asksToSkip,
  comparedCommits,
  eventPayload,
  isZeroSha,
  runTitle,
  triggerEvent,
  type WorkflowEvent,
} from "./event.ts";
import { githubContext } from "./github-context.ts";
import type { RunParts } from "./parts.ts";
import { insertPlaceholder, type WorkflowsTransaction } from "./run-store.ts";
import type { RunsTable } from "./schema.ts";

/** Commits a push payload lists at most; GitHub's limit. */
const maxCommits = 20;

export interface AcceptedEvent {
  readonly runs: readonly AcceptedRun[];
  /** False when the event had been accepted before. */
  readonly fresh: boolean;
}

interface AcceptedRun {
  readonly id: number;
  readonly repository: string;
  readonly concurrencyGroup: string | null;
}

/** A workflow the event starts, or would if its file were right. */
interface Candidate {
  readonly path: string;
  readonly workflow?: Workflow;
  readonly problems: readonly Problem[];
  readonly inputs: ContextObject;
}

export async function acceptEvent(parts: RunParts, event: WorkflowEvent, signal: AbortSignal): Promise<AcceptedEvent> {
  const known = await acceptedRuns(parts, event.id);
  if (known !== undefined) return { runs: known, fresh: false };
  const drafts = isZeroSha(event.sha) ? [] : await draftRuns(parts, event, signal);
  const nowMs = parts.clock.now().epochMilliseconds;
  const runs = await parts.db.transaction().execute(async (tx) => {
    await tx.insertInto("workflows_events").values({ id: event.id, accepted_at: nowMs }).execute();
    const inserted: AcceptedRun[] = [];
    for (const draft of drafts) inserted.push(await insertRun(parts, tx, draft, nowMs));
    return inserted;
  });
  return { runs, fresh: true };
}

async function acceptedRuns(parts: RunParts, eventId: string): Promise<readonly AcceptedRun[] | undefined> {
  const event = await parts.db.selectFrom("workflows_events").where("id", "=", eventId).select("id").executeTakeFirst();
  if (event === undefined) return undefined;
  return await parts.db
    .selectFrom("workflows_runs")
    .select(["id", "repository", "concurrency_group as concurrencyGroup"])
    .where("event_id", "=", eventId)
    .orderBy("id")
    .execute();
}

interface RunDraft {
  readonly candidate: Candidate;
  readonly event: WorkflowEvent;
  readonly title: string;
  readonly payload: ContextObject;
  readonly facts: RepositoryFacts;
  readonly vars: Readonly<Record<string, string>>;
}

async function draftRuns(parts: RunParts, event: WorkflowEvent, signal: AbortSignal): Promise<readonly RunDraft[]> {
  const { source, variables, services } = parts;
  const options = { signal };
  const { before, after } = comparedCommits(event);
  const [facts, files, commits] = await Promise.all([
    source.repository(event.repository, options),
    source.files(event.repository, event.sha, options),
    source.commits(event.repository, before, after, maxCommits, options),
  ]);
  const head = commits.at(-1);
  if (asksToSkip(event, head)) return [];
  const candidates = await findCandidates(parts, event, files, signal);
  if (candidates.length === 0) return [];
  const request = { repository: event.repository, ref: event.ref, eventName: event.name };
  const vars = await variables.variables(request, options);
  return candidates.map((candidate) => {
    const told = event.name === "workflow_dispatch" ? { ...event, inputs: candidate.inputs } : event;
    const payload = eventPayload(told, { repository: facts, commits, ...services.base });
    const title = runTitle(event, head, candidate.workflow?.name ?? candidate.path);
    return { candidate, event, title, payload, facts, vars };
  });
}

async function findCandidates(
  parts: RunParts,
  told: WorkflowEvent,
  files: readonly { readonly path: string; readonly text: string }[],
  signal: AbortSignal,
): Promise<readonly Candidate[]> {
  const parsed = effectiveFiles(files).map((file) => ({ path: file.path, ...parseWorkflowFile(file.path, file.text) }));
  const event = withDispatchPath(told, parsed);
  const filtered = parsed.some((file) => file.value !== undefined && hasPathFilters(file.value));
  const compared = comparedCommits(event);
  const paths =
    filtered && event.name !== "workflow_dispatch"
      ? await parts.source.changedPaths(event.repository, compared.before, compared.after, { signal })
      : undefined;
  const trigger = triggerEvent(event, paths);
  const candidates = parsed.filter((file) => {
    if (file.value !== undefined && matchEvent(file.value, trigger)) return true;
    // A file whose triggers cannot be read fails visibly on every push, as it may have meant this one.
    return event.name === "push" && hasErrors(file.problems) && !hasTriggers(file.value);
  });
  return candidates.map((file) => ({
    path: file.path,
    ...(file.value === undefined ? {} : { workflow: file.value }),
    problems: file.problems,
    inputs: event.name === "workflow_dispatch" ? dispatchInputs(event, file.value) : {},
  }));
}

function hasTriggers(workflow: Workflow | undefined): boolean {
  return workflow !== undefined && Object.keys(workflow.on).length > 0;
}

/** A dispatch may name the file without its folder; it must name one that can be dispatched. */
function withDispatchPath(
  event: WorkflowEvent,
  files: readonly { readonly path: string; readonly value?: Workflow }[],
): WorkflowEvent {
  if (event.name !== "workflow_dispatch") return event;
  const found = files.find((file) => file.path === event.workflow || file.path.endsWith(`/${event.workflow}`));
  const action = `Cannot start workflow "${event.workflow}" of "${event.repository}" at "${event.ref}"`;
  if (found === undefined) {
    const names = files.map((file) => file.path).join(", ") || "none";
    throw new WorkflowsError("workflows/not-found", `${action}: there is no such file. Workflows are ${names}`);
  }
  if (found.value?.on.workflowDispatch === undefined) {
    throw new WorkflowsError(
      "workflows/not-possible-now",
      `${action}: it has no "workflow_dispatch" under "on". Add it`,
    );
  }
  return { ...event, workflow: found.path };
}

function dispatchInputs(
  event: Extract<WorkflowEvent, { name: "workflow_dispatch" }>,
  workflow: Workflow | undefined,
): ContextObject {
  const checked = readDispatchInputs(workflow?.on.workflowDispatch?.inputs ?? [], event.inputs ?? {});
  if (checked.value !== undefined) return checked.value;
  const found = checked.problems.map((problem) => `${problem.path}: ${problem.message}`).join("; ");
  throw new WorkflowsError("workflows/inputs-invalid", `Cannot start workflow "${event.workflow}": ${found}`, {
    details: checked.problems,
  });
}

async function insertRun(
  parts: RunParts,
  tx: WorkflowsTransaction,
  draft: RunDraft,
  nowMs: number,
): Promise<AcceptedRun> {
  const { event, candidate } = draft;
  const last = await tx
    .selectFrom("workflows_runs")
    .select((eb) => eb.fn.max("number").as("number"))
    .where("repository", "=", event.repository)
    .where("path", "=", candidate.path)
    .executeTakeFirst();
  const row = runRow(draft, Number(last?.number ?? 0) + 1, nowMs);
  const { insertId } = await tx.insertInto("workflows_runs").values(row).executeTakeFirstOrThrow();
  const id = Number(insertId);
  const broken = hasErrors(candidate.problems) ? undefined : candidate.workflow;
  if (broken === undefined) return { id, repository: event.repository, concurrencyGroup: null };
  const contexts: Contexts = {
    github: githubContext({ ...row, id }, parts.services.base),
    inputs: candidate.inputs,
    vars: draft.vars,
  };
  const settled = settle(broken, contexts, draft.title);
  await tx
    .updateTable("workflows_runs")
    .set({ ...settled.values, ...(settled.problem === undefined ? {} : startupFailure(nowMs, [settled.problem])) })
    .where("id", "=", id)
    .execute();
  if (settled.problem !== undefined) return { id, repository: event.repository, concurrencyGroup: null };
  for (const job of broken.jobs) await insertPlaceholder(tx, { id, attempt: 1 }, job);
  return { id, repository: event.repository, concurrencyGroup: settled.values.concurrency_group };
}

function runRow(draft: RunDraft, number: number, nowMs: number): Omit<RunsTable, "id"> {
  const { event, candidate } = draft;
  const row: Omit<RunsTable, "id"> = {
    event_id: event.id,
    path: candidate.path,
    number,
    repository: event.repository,
    name: candidate.workflow?.name ?? candidate.path,
    title: draft.title,
    event_name: event.name,
    ref: event.ref,
    sha: event.sha,
    actor: event.actor,
    triggering_actor: event.actor,
    payload_json: JSON.stringify(draft.payload),
    inputs_json: JSON.stringify(candidate.inputs),
    vars_json: JSON.stringify(draft.vars),
    repository_json: JSON.stringify(draft.facts),
    workflow_json: candidate.workflow === undefined ? null : JSON.stringify(candidate.workflow),
    problems_json: JSON.stringify(candidate.problems),
    status: "queued",
    conclusion: null,
    attempt: 1,
    cancel_requested: 0,
    concurrency_group: null,
    cancel_in_progress: 0,
    queue_mode: "single",
    created_at: nowMs,
    started_at: null,
    completed_at: null,
  };
  return hasErrors(candidate.problems) ? { ...row, ...startupFailure(nowMs, candidate.problems) } : row;
}

function startupFailure(
  nowMs: number,
  problems: readonly Problem[],
): Pick<RunsTable, "status" | "conclusion" | "completed_at" | "problems_json"> {
  return {
    status: "completed",
    conclusion: "failure",
    completed_at: nowMs,
    problems_json: JSON.stringify(problems),
  };
}

interface Settled {
  readonly values: Pick<RunsTable, "title" | "status" | "concurrency_group" | "cancel_in_progress" | "queue_mode">;
  readonly problem?: Problem;
}

/** `run-name` and `concurrency`, which need the number and id of the run. */
function settle(workflow: Workflow, contexts: Contexts, title: string): Settled {
  const values = {
    title,
    status: "queued",
    concurrency_group: null,
    cancel_in_progress: 0,
    queue_mode: "single",
  } as const;
  try {
    const named = workflow.runName === undefined ? "" : evaluateTemplate(workflow.runName, contexts).trim();
    const own = { ...values, title: named === "" ? title : named.slice(0, 255) };
    if (workflow.concurrency === undefined) return { values: own };
    const { group, cancelInProgress, queue } = workflow.concurrency;
    // Groups do not distinguish case.
    const name = evaluateTemplate(group, contexts).toLowerCase();
    if (name === "") return { values: own };
    const cancel = typeof cancelInProgress === "string" ? evaluateValue(cancelInProgress, contexts) : cancelInProgress;
    const flag = cancel === true || cancel === "true" ? 1 : 0;
    return {
      values: { ...own, status: "pending", concurrency_group: name, cancel_in_progress: flag, queue_mode: queue },
    };
  } catch (error) {
    return { values, problem: { path: "", message: errorMessage(error), at: { file: workflow.path } } };
  }
}
