/**
 * `workflow_run`: what happened to a run is told to the workflows of the default branch that follow it. Noted in the
 * transaction that made it happen, told in order, and forgotten only when the runs it starts are there.
 */
import type { ContextObject } from "../protocol.ts";
import { effectiveFiles } from "../parse/workflow-file.ts";
import { personId, refName, type WorkflowEvent } from "./event.ts";
import { headRepository } from "./head-repository.ts";
import type { RunParts } from "./parts.ts";
import { findRun } from "./run-store.ts";
import type { RunRow } from "./schema.ts";
import { timestamp } from "./view.ts";

/** Runs that follow runs that follow runs; what would be the fourth does not begin. */
const maxChain = 3;

interface Note {
  readonly id: number;
  readonly run_id: number;
  readonly attempt: number;
  readonly action: "requested" | "in_progress" | "completed";
}

export type Accept = (event: WorkflowEvent, signal: AbortSignal) => Promise<void>;

export async function runFollowUps(parts: RunParts, accept: Accept, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const notes = await parts.db.selectFrom("workflows_outbox").selectAll().orderBy("id").limit(100).execute();
    for (const note of notes) await tellSafely(parts, note, accept, signal);
    if (signal.aborted) return;
    const ids = notes.map((note) => note.id);
    if (ids.length > 0) await parts.db.deleteFrom("workflows_outbox").where("id", "in", ids).execute();
    else await parts.followUps.wait(signal);
  }
}

/** What cannot be told now is passed over: the runs after it must not wait for ever. */
async function tellSafely(parts: RunParts, note: Note, accept: Accept, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  try {
    await tell(parts, note, accept, signal);
  } catch (error) {
    if (!signal.aborted) parts.log.error("Workflows that follow a run were not started", { run: note.run_id, error });
  }
}

async function tell(parts: RunParts, note: Note, accept: Accept, signal: AbortSignal): Promise<void> {
  const run = await findRun(parts.db, note.run_id);
  if (run === undefined || run.chain >= maxChain) return;
  const { repository, actor } = run;
  if (!(await parts.listeners.any(parts, repository, signal))) return;
  const head = await parts.source.defaultHead(repository, { signal });
  if (head === undefined) return;
  const id = `workflow_run:${run.id}:${note.attempt}:${note.action}`;
  const payload = runPayload(run, note, parts.services.base.serverUrl);
  await accept({ id, name: "workflow_run", repository, ...head, actor, payload, chain: run.chain }, signal);
}

/**
 * Whether anything follows at all: most repositories have nothing that does, and a run tells of itself three times. Known
 * until the default branch moves.
 */
export class Listeners {
  readonly #known = new Map<string, boolean>();

  /** The default branch has other files now. */
  forget(repository: string): void {
    this.#known.delete(repository);
  }

  async any(parts: RunParts, repository: string, signal: AbortSignal): Promise<boolean> {
    const known = this.#known.get(repository);
    if (known !== undefined) return known;
    // Noted before the files are read: if the branch moves meanwhile, it is forgotten again.
    this.#known.set(repository, true);
    const head = await parts.source.defaultHead(repository, { signal });
    const files = head === undefined ? [] : effectiveFiles(await parts.source.files(repository, head.sha, { signal }));
    const read = await Promise.all(files.map((file) => parts.reader.read(file.path, file.text)));
    const any = read.some(({ value }) => value?.on.workflowRun !== undefined);
    if (this.#known.has(repository)) this.#known.set(repository, any);
    return any;
  }
}

/** In the shape of GitHub's webhook. */
function runPayload(run: RunRow, note: Note, serverUrl: string): ContextObject {
  const url = `${serverUrl}/runs/${run.id}`;
  const event = JSON.parse(run.payload_json) as ContextObject;
  const completed = note.action === "completed" && run.attempt === note.attempt;
  const person = (login: string): ContextObject => ({ login, id: personId(login), type: "User" });
  return {
    action: note.action,
    workflow: { name: run.name, path: run.path, state: "active" },
    workflow_run: {
      id: run.id,
      name: run.name,
      path: run.path,
      display_title: run.title,
      run_number: run.number,
      run_attempt: note.attempt,
      event: run.event_name,
      status: completed ? "completed" : note.action === "requested" ? "queued" : "in_progress",
      conclusion: completed ? run.conclusion : null,
      head_branch: headBranch(run, event),
      head_sha: pullHead(event)?.sha ?? run.sha,
      // By this, those who follow know that it was a stranger's code.
      head_repository: repositoryOf(headRepository(event, run.repository)),
      repository: repositoryOf(run.repository),
      actor: person(run.actor),
      triggering_actor: person(run.triggering_actor),
      created_at: timestamp(run.created_at),
      run_started_at: timestamp(run.started_at ?? run.created_at),
      updated_at: timestamp(run.completed_at ?? run.started_at ?? run.created_at),
      html_url: url,
      pull_requests: [],
    },
  };
}

function repositoryOf(fullName: string): ContextObject {
  const [owner = "", name = ""] = fullName.split("/");
  return { full_name: fullName, name, owner: { login: owner, id: personId(owner) } };
}

function headBranch(run: RunRow, event: ContextObject): string {
  return pullHead(event)?.ref ?? refName(run.ref);
}

function pullHead(event: ContextObject): { readonly ref?: string; readonly sha?: string } | undefined {
  const pull = event["pull_request"] as
    | { readonly head?: { readonly ref?: string; readonly sha?: string } }
    | undefined;
  return pull?.head;
}
