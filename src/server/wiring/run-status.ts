/**
 * What another forge is told of runs by a commit status. Statuses of one context overwrite each other there, so what is
 * told is never of one run alone where several share the context: workflows of the same name, or one that ran for a
 * branch and for a tag of the same commit. Pure.
 */
import type { OutgoingStatus } from "#forge";
import type { RunView } from "#workflows";

type StatusState = OutgoingStatus["state"];

export interface RunStatus {
  readonly state: StatusState;
  readonly description: string;
  /** The run that decides. */
  readonly run: RunView;
  /** The same while nothing has changed. */
  readonly key: string;
}

/** One for each run, not for each job: GitHub takes about 80 statuses a minute, and a matrix may have 256 jobs. */
export function statusContext(run: Pick<RunView, "workflow" | "event">): string {
  return `tidegate / ${run.workflow.name} (${run.event})`.slice(0, 255);
}

/** The worst first. */
const ranks: readonly StatusState[] = ["failure", "error", "pending", "success"];

/** @param runs of one context and commit; of a workflow and ref the newest counts */
export function combineRuns(runs: readonly RunView[]): RunStatus {
  const newest = new Map<string, RunView>();
  for (const run of runs.toSorted((a, b) => Number(a.id) - Number(b.id))) {
    newest.set(`${run.workflow.path} ${run.ref}`, run);
  }
  const counted = [...newest.values()].toSorted((a, b) => Number(b.id) - Number(a.id));
  const worst = counted.toSorted((a, b) => ranks.indexOf(stateOf(a)) - ranks.indexOf(stateOf(b)))[0];
  if (worst === undefined) throw new Error("There is no run to tell of");
  return {
    state: stateOf(worst),
    description: wordsOf(worst, counted),
    run: worst,
    key: `${statusContext(worst)}:${counted.map((run) => `${run.id}.${run.attempt}.${run.status}.${stateOf(run)}`).join(",")}`,
  };
}

function stateOf({ status, conclusion }: RunView): StatusState {
  if (status !== "completed") return "pending";
  if (conclusion === "success" || conclusion === "skipped") return "success";
  return conclusion === "cancelled" ? "error" : "failure";
}

/** `Run #7: failure`, and of several which: `Run #7 of ci.yml at v1: failure, worst of 2 runs`. */
function wordsOf(run: RunView, all: readonly RunView[]): string {
  const word = run.status === "completed" ? (run.conclusion ?? "completed") : run.status.replace("_", " ");
  if (all.length === 1) return `Run #${run.number}: ${word}`.slice(0, 140);
  const file = run.workflow.path.slice(run.workflow.path.lastIndexOf("/") + 1);
  const place = run.ref.replace(/^refs\/(?:heads|tags|pull)\//, "");
  const rest = `: ${word}, worst of ${all.length} runs`;
  return `${`Run #${run.number} of ${file} at ${place}`.slice(0, 140 - rest.length)}${rest}`;
}
