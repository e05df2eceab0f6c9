/** A run as it begins: its row, its name, the group it waits for, and a job for each key. */
import { errorMessage, hasErrors, type Problem } from "#lib";
import { evaluateTemplate, type Contexts } from "../expressions/evaluate.ts";
import type { Concurrency, Workflow } from "../parse/model.ts";
import { requestGroup, type GroupRequest } from "../plan/concurrency.ts";
import type { RepositoryFacts } from "../ports.ts";
import type { ContextObject } from "../protocol.ts";
import type { WorkflowEvent } from "./event.ts";
import { githubContext } from "./github-context.ts";
import type { RunParts } from "./parts.ts";
import { insertPlaceholder, joinGroup, toTell, type WorkflowsTransaction } from "./run-store.ts";
import type { RunsTable } from "./schema.ts";

export interface AcceptedRun {
  readonly id: number;
}

/** A workflow the event starts, or would if its file were right. */
export interface Candidate {
  readonly path: string;
  readonly workflow?: Workflow;
  readonly problems: readonly Problem[];
  readonly inputs: ContextObject;
}

export interface RunDraft {
  readonly candidate: Candidate;
  readonly event: WorkflowEvent;
  readonly title: string;
  readonly payload: ContextObject;
  readonly facts: RepositoryFacts;
  readonly vars: Readonly<Record<string, string>>;
}

export async function insertRun(
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
  await toTell(tx, { id, attempt: 1 }, "requested");
  const whole = hasErrors(candidate.problems) ? undefined : candidate.workflow;
  if (whole === undefined) {
    await toTell(tx, { id, attempt: 1 }, "completed");
    return { id };
  }
  await tx.insertInto("workflows_remarks_due").values({ run_id: id }).execute();
  const contexts: Contexts = {
    github: githubContext({ ...row, id }, parts.services.base),
    inputs: candidate.inputs,
    vars: draft.vars,
  };
  const settled = settle(whole, event, contexts, draft.title);
  const failed = settled.problem === undefined ? {} : startupFailure(nowMs, [settled.problem]);
  await tx
    .updateTable("workflows_runs")
    .set({ title: settled.title, ...groupColumns(settled.group), ...failed })
    .where("id", "=", id)
    .execute();
  if (settled.problem !== undefined) {
    await toTell(tx, { id, attempt: 1 }, "completed");
    return { id };
  }
  if (settled.group !== undefined) await joinGroup(tx, { id, repository: event.repository }, settled.group, null);
  for (const job of whole.jobs) await insertPlaceholder(tx, { id, attempt: 1 }, job);
  return { id };
}

function runRow(
  draft: RunDraft,
  number: number,
  nowMs: number,
): Omit<RunsTable, "id" | "chain" | "message"> & { readonly chain: number } {
  const { event, candidate } = draft;
  const row = {
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
    conclusion: null,
    attempt: 1,
    cancel_requested: 0,
    ...groupColumns(undefined),
    created_at: nowMs,
    started_at: null,
    completed_at: null,
    chain: event.name === "workflow_run" ? event.chain + 1 : 0,
  } as const;
  return hasErrors(candidate.problems) ? { ...row, ...startupFailure(nowMs, candidate.problems) } : row;
}

type GroupColumns = Pick<RunsTable, "status" | "concurrency_group" | "cancel_in_progress" | "queue_mode">;

function groupColumns(group: GroupRequest | undefined): GroupColumns {
  return {
    status: group === undefined ? "queued" : "pending",
    concurrency_group: group?.name ?? null,
    cancel_in_progress: group?.cancelInProgress === true ? 1 : 0,
    queue_mode: group?.queue ?? "single",
  };
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
  readonly title: string;
  readonly group?: GroupRequest;
  readonly problem?: Problem;
}

/** `run-name` and `concurrency`, which need the number and id of the run. */
function settle(workflow: Workflow, event: WorkflowEvent, contexts: Contexts, title: string): Settled {
  try {
    const named = workflow.runName === undefined ? "" : evaluateTemplate(workflow.runName, contexts).trim();
    const own = named === "" ? title : named.slice(0, 255);
    const concurrency = workflow.concurrency ?? defaultConcurrency(workflow, event);
    const group = concurrency === undefined ? undefined : requestGroup(concurrency, contexts);
    return { title: own, ...(group === undefined ? {} : { group }) };
  } catch (error) {
    return { title, problem: { path: "", message: errorMessage(error), at: { file: workflow.path } } };
  }
}

/** Forgejo's: a newer push or a newer state of a pull request cancels the runs of the older one. */
function defaultConcurrency(workflow: Workflow, event: WorkflowEvent): Concurrency | undefined {
  if (!workflow.path.startsWith(".forgejo/")) return undefined;
  if (event.name !== "push" && event.name !== "pull_request") return undefined;
  return { group: `${workflow.path} ${event.name} ${event.ref}`, cancelInProgress: true, queue: "single" };
}
