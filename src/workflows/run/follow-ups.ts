/**
 * `workflow_run`: what happened to a run is told to the workflows of the default branch that follow it. Noted in the
 * transaction that made it happen, told in order, and forgotten only when the runs it starts are there.
 */
import { effectiveFiles } from "../parse/workflow-file.ts";
import type { WorkflowEvent } from "./event.ts";
import type { RunParts } from "./parts.ts";
import { runPayload, type RunAction } from "./run-payload.ts";
import { findRun } from "./run-store.ts";

/** Runs that follow runs that follow runs; what would be the fourth does not begin. */
const maxChain = 3;

interface Note {
  readonly id: number;
  readonly run_id: number;
  readonly attempt: number;
  readonly action: RunAction;
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
  const payload = runPayload(run, note, parts.services.base);
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
