/**
 * An event becomes runs, once. All rows of an event are written in one transaction that also notes the event, so after a
 * crash it was either accepted whole or is as if it had never come, and is told again.
 */
import { errorMessage, hasErrors, type Checked, type Problem } from "#lib";
import { WorkflowsError } from "../errors.ts";
import { linkCalls, type CalledFile, type CallLoader, type CallReference } from "../parse/link-calls.ts";
import type { RuleTexts } from "../actions/resolver.ts";
import type { Workflow, WorkflowOrigin } from "../parse/model.ts";
import { effectiveFiles, type WorkflowText } from "../parse/workflow-file.ts";
import { hasPathFilters, matchEvent } from "../plan/match-event.ts";
import { narrowWorkflow, wantedJobs, type Narrowing } from "../plan/narrow.ts";
import type { CommitFacts, RepositoryFacts } from "../ports.ts";
import type { ContextObject } from "../protocol.ts";
import { readDispatchInputs } from "./dispatch-inputs.ts";
import { disabledPaths } from "./switches.ts";
import {
  asksToSkip,
  comparedCommits,
  eventPayload,
  hasChangedPaths,
  isZeroSha,
  runTitle,
  triggerEvent,
  type WorkflowEvent,
} from "./event.ts";
import { insertRun, type AcceptedRun, type Candidate, type RunDraft } from "./insert-run.ts";
import type { RunParts } from "./parts.ts";
import { saveSchedules, schedulesOf } from "./schedules.ts";

/** Commits a push payload lists at most; GitHub's limit. */
const maxCommits = 20;

/** Which files an event starts, chosen by whoever tells it; their filters do not count then. */
interface Choice {
  readonly paths: readonly string[];
  readonly narrowing: Narrowing;
}

export interface AcceptedEvent {
  readonly runs: readonly AcceptedRun[];
  /** False when the event had been accepted before. */
  readonly fresh: boolean;
}

interface ParsedFile extends Checked<Workflow> {
  readonly path: string;
}

export interface AcceptOptions {
  readonly signal: AbortSignal;
  readonly choice?: Choice;
}

export async function acceptEvent(
  parts: RunParts,
  event: WorkflowEvent,
  options: AcceptOptions,
): Promise<AcceptedEvent> {
  const { signal } = options;
  const known = await acceptedRuns(parts, event.id);
  if (known !== undefined) return { runs: known, fresh: false };
  const idle = isZeroSha(event.sha) || (event.byJob === true && !event.name.endsWith("_dispatch"));
  const [files, facts] = await Promise.all([
    isZeroSha(event.sha) ? [] : readFiles(parts, event, signal),
    idle ? undefined : pushedFacts(parts, event, signal),
  ]);
  const drafts = facts === undefined ? [] : await draftRuns(parts, event, facts, files, options);
  const schedules = await schedulesOf(parts, event, files, signal);
  const nowMs = parts.clock.now().epochMilliseconds;
  const runs = await parts.db.transaction().execute(async (tx) => {
    await tx.insertInto("workflows_events").values({ id: event.id, accepted_at: nowMs }).execute();
    if (schedules !== undefined) await saveSchedules(tx, event.repository, schedules);
    const inserted: AcceptedRun[] = [];
    for (const draft of drafts) inserted.push(await insertRun(parts, tx, draft, nowMs));
    return inserted;
  });
  if (schedules !== undefined) {
    parts.schedules.notify();
    parts.listeners.forget(event.repository);
  }
  if (runs.length > 0) {
    parts.followUps.notify();
    parts.remarks.notify();
  }
  return { runs, fresh: true };
}

async function acceptedRuns(parts: RunParts, eventId: string): Promise<readonly AcceptedRun[] | undefined> {
  const event = await parts.db.selectFrom("workflows_events").where("id", "=", eventId).select("id").executeTakeFirst();
  if (event === undefined) return undefined;
  return await parts.db
    .selectFrom("workflows_runs")
    .select("id")
    .where("event_id", "=", eventId)
    .orderBy("id")
    .execute();
}

async function readFiles(
  parts: RunParts,
  event: WorkflowEvent,
  signal: AbortSignal,
): Promise<readonly (ParsedFile & { readonly text: string })[]> {
  const texts = effectiveFiles(await parts.source.files(event.repository, event.sha, { signal }));
  return await Promise.all(
    texts.map(async (file) => ({ ...file, ...(await parts.reader.read(file.path, file.text)) })),
  );
}

interface PushedFacts {
  readonly repository: RepositoryFacts;
  readonly commits: readonly CommitFacts[];
}

async function pushedFacts({ source }: RunParts, event: WorkflowEvent, signal: AbortSignal): Promise<PushedFacts> {
  const { before, after } = comparedCommits(event);
  const [repository, commits] = await Promise.all([
    source.repository(event.repository, { signal }),
    source.commits(event.repository, before, after, maxCommits, { signal }),
  ]);
  return { repository, commits };
}

async function draftRuns(
  parts: RunParts,
  event: WorkflowEvent,
  { repository, commits }: PushedFacts,
  files: readonly (ParsedFile & { readonly text: string })[],
  { signal, choice }: AcceptOptions,
): Promise<readonly RunDraft[]> {
  const { variables, services } = parts;
  const head = commits.at(-1);
  if (choice === undefined && asksToSkip(event, head)) return [];
  const found = await findCandidates(parts, event, files, { signal, ...(choice === undefined ? {} : { choice }) });
  const candidates = choice === undefined ? found : found.map((candidate) => narrowed(candidate, choice.narrowing));
  if (candidates.length === 0) return [];
  const request = { repository: event.repository, ref: event.ref, eventName: event.name };
  const vars = await variables.variables(request, { signal });
  return candidates.map((candidate) => {
    const told = event.name === "workflow_dispatch" ? { ...event, inputs: candidate.inputs } : event;
    const payload = eventPayload(told, { repository, commits, ...services.base });
    const title = runTitle(event, head, candidate.workflow?.name ?? candidate.path);
    return { candidate, event, title, payload, facts: repository, vars };
  });
}

function narrowed(candidate: Candidate, narrowing: Narrowing): Candidate {
  const { workflow } = candidate;
  return workflow === undefined ? candidate : { ...candidate, workflow: narrowWorkflow(workflow, narrowing) };
}

async function findCandidates(
  parts: RunParts,
  told: WorkflowEvent,
  files: readonly (ParsedFile & { readonly text: string })[],
  { signal, choice }: AcceptOptions,
): Promise<readonly Candidate[]> {
  const event = withDispatchPath(told, files);
  const disabled = await disabledPaths(parts.db, event.repository);
  if (event.name === "workflow_dispatch" && disabled.has(event.workflow)) {
    const remedy = `Enable it first: tidegate workflow enable ${event.repository} ${event.workflow}`;
    throw new WorkflowsError("workflows/not-possible-now", `Workflow "${event.workflow}" is disabled. ${remedy}`);
  }
  const filtered = files.some((file) => file.value !== undefined && hasPathFilters(file.value));
  const compared = comparedCommits(event);
  const paths =
    filtered && hasChangedPaths(event)
      ? await parts.source.changedPaths(event.repository, compared.before, compared.after, { signal })
      : undefined;
  const trigger = triggerEvent(event, paths);
  const found = files.filter((file) => {
    if (choice !== undefined) return choice.paths.includes(file.path);
    if (disabled.has(file.path)) return false;
    if (file.value !== undefined && matchEvent(file.value, trigger)) return true;
    // A file whose triggers cannot be read fails visibly on every push, as it may have meant this one.
    return event.name === "push" && hasErrors(file.problems) && !hasTriggers(file.value);
  });
  const load = callLoader(parts, event, files, signal);
  const wanted = choice === undefined ? found : found.map((file) => withWantedJobs(file, choice.narrowing));
  return await Promise.all(wanted.map(async (file) => await linkCandidate(parts, event, file, load)));
}

function withWantedJobs<File extends ParsedFile>(file: File, narrowing: Narrowing): File {
  return file.value === undefined ? file : { ...file, value: wantedJobs(file.value, narrowing) };
}

async function linkCandidate(
  parts: RunParts,
  event: WorkflowEvent,
  file: ParsedFile & { readonly text: string },
  load: CallLoader,
): Promise<Candidate> {
  const linked = hasErrors(file.problems) ? undefined : await link(parts, event, file.value, load);
  const workflow = linked?.value ?? file.value;
  return {
    path: file.path,
    ...(workflow === undefined ? {} : { workflow }),
    problems: [...file.problems, ...(linked?.problems ?? [])],
    inputs: event.name === "workflow_dispatch" ? dispatchInputs(event, file.value) : {},
  };
}

async function link(
  parts: RunParts,
  event: WorkflowEvent,
  workflow: Workflow | undefined,
  load: CallLoader,
): Promise<Checked<Workflow> | undefined> {
  if (workflow === undefined) return undefined;
  const { repository, ref, sha } = event;
  return await linkCalls(workflow, { origin: { repository, ref, sha }, load, read: (p, t) => parts.reader.read(p, t) });
}

/** The commit whose rules count; given where it cannot be read yet. */
interface RuledEvent {
  readonly repository: string;
  readonly sha: string;
  readonly rules?: RuleTexts;
}

/** Called files out of the commit of the event, or of wherever the call says: as actions are found. */
export function callLoader(
  parts: Pick<RunParts, "actions">,
  event: RuledEvent,
  files: readonly WorkflowText[],
  signal: AbortSignal,
): CallLoader {
  return async (reference, from) => {
    const { repository, ref, path } = reference;
    try {
      if (repository !== undefined && ref !== undefined) {
        return await elsewhere(parts, event, { ...reference, repository, ref }, from, signal);
      }
      if (from.repository !== event.repository || from.sha !== event.sha) {
        return await besideCaller(parts, event, path, from, signal);
      }
    } catch (error) {
      signal.throwIfAborted();
      return { problem: errorMessage(error) };
    }
    const file = files.find((one) => one.path === path);
    if (file !== undefined) return { text: file.text, origin: from };
    const names = files.map((one) => one.path).join(", ") || "none";
    return { problem: `there is no such file. Workflows of this commit are ${names}` };
  };
}

/** A file of the commit that the calling one is of, which needs nobody's leave again. */
async function besideCaller(
  parts: Pick<RunParts, "actions">,
  event: RuledEvent,
  path: string,
  from: WorkflowOrigin,
  signal: AbortSignal,
): Promise<CalledFile> {
  const { repository, sha } = from;
  const here = await parts.actions.source.local(repository, { signal });
  const text = await here?.readFile(sha, path, { signal });
  if (text !== undefined) return { text, origin: from };
  if (here !== undefined) return { problem: `"${here.name}" has no file "${path}" at "${from.ref}"` };
  const file = await elsewhere(parts, event, { repository, ref: sha, path }, from, signal);
  return file.problem === undefined ? { ...file, origin: from } : file;
}

async function elsewhere(
  { actions }: Pick<RunParts, "actions">,
  event: RuledEvent,
  { repository, ref, path, host }: Required<Pick<CallReference, "repository" | "ref">> & CallReference,
  from: WorkflowOrigin,
  signal: AbortSignal,
): Promise<CalledFile> {
  const { sha } = event;
  const rules =
    event.rules === undefined
      ? await actions.rules.rules({ repository: event.repository, sha, policySha: sha }, { signal })
      : await actions.resolver.rules(event.rules, signal);
  const uses = `${host === undefined ? "" : `https://${host}/`}${repository}/${path}@${ref}`;
  const found = await actions.resolver.find({ uses, builtIn: false }, { rules, from: from.repository, signal });
  if (found.kind !== "found") return { problem: found.kind === "refused" ? found.reason : "it is built in" };
  const { answer, repository: place } = found;
  const text = await place.readFile(answer.sha, path, { signal });
  if (text === undefined) return { problem: `"${place.name}" has no file "${path}" at "${ref}"` };
  return { text, origin: { repository: place.name, ref: answer.ref, sha: answer.sha } };
}

function hasTriggers(workflow: Workflow | undefined): boolean {
  return workflow !== undefined && Object.keys(workflow.on).length > 0;
}

/** A dispatch may name the file without its folder; it must name one that can be dispatched. */
function withDispatchPath(event: WorkflowEvent, files: readonly ParsedFile[]): WorkflowEvent {
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
  const found = checked.problems.map((problem: Problem) => `${problem.path}: ${problem.message}`).join("; ");
  throw new WorkflowsError("workflows/inputs-invalid", `Cannot start workflow "${event.workflow}": ${found}`, {
    details: checked.problems,
  });
}
