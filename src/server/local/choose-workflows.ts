/** Which files a local run starts, and by which event. Pure. */
import { nearestName } from "#lib";
import type { Workflow } from "#workflows";
import { eventNames } from "./local-event.ts";

export interface LocalWorkflow {
  readonly path: string;
  readonly workflow: Workflow;
}

export interface Wish {
  /** A workflow file, its name, or the name of an event. */
  readonly target?: string;
  readonly event?: string;
  /** Keys of jobs. */
  readonly jobs: readonly string[];
  /** Whether inputs are given, which only a start by hand takes. */
  readonly hasInputs?: boolean;
}

/** Keys that a combination is asked to have, and that no job of these has; none where only a run can tell. */
export function unknownMatrixKeys(workflows: readonly LocalWorkflow[], asked: readonly string[]): UnknownKeys {
  const jobs = workflows.flatMap(({ workflow }) => workflow.jobs);
  const matrices = jobs.map(({ strategy }) => strategy?.whole ?? strategy?.matrix).filter((one) => one !== undefined);
  const tables = matrices.filter((matrix) => typeof matrix !== "string");
  const includes = tables.map((table) => table["include"]);
  const isOpen = tables.length < matrices.length || includes.some((include) => typeof include === "string");
  if (isOpen || jobs.some((job) => job.call !== undefined)) return { unknown: [], known: [] };
  const items = includes.flatMap((include) => (Array.isArray(include) ? (include as readonly unknown[]) : []));
  const added = items.flatMap((item) => (typeof item === "object" && item !== null ? Object.keys(item) : []));
  const own = tables.flatMap((table) => Object.keys(table));
  const known = [...new Set([...own, ...added])].filter((key) => key !== "include" && key !== "exclude");
  const has = (key: string): boolean => known.some((name) => name.toLowerCase() === key.toLowerCase());
  return { unknown: asked.filter((key) => !has(key)), known };
}

export interface UnknownKeys {
  readonly unknown: readonly string[];
  readonly known: readonly string[];
}

export type Chosen =
  | { readonly kind: "chosen"; readonly event: string; readonly paths: readonly string[] }
  /** What is wrong, and what there is. */
  | { readonly kind: "nothing"; readonly message: string };

/** The event that is taken when nobody names one: what comes first here. */
const preferred = ["push", "pull_request", "workflow_dispatch", "schedule"] as const;

export function chooseWorkflows(workflows: readonly LocalWorkflow[], wish: Wish): Chosen {
  if (workflows.length === 0) {
    return nothing("There is no workflow in .github/workflows or .forgejo/workflows: name its folder with --workflows");
  }
  const named = wish.target === undefined ? [] : workflows.filter((one) => isNamed(one, wish.target ?? ""));
  if (wish.target !== undefined && named.length === 0 && !isEvent(wish.target, workflows)) {
    const files = workflows.map(({ path }) => path.split("/").at(-1) ?? path);
    const events = [...new Set(workflows.flatMap(({ workflow }) => eventsOf(workflow)))];
    const meant = nearestName(wish.target, [...files, ...files.map(withoutEnding), ...events, ...eventNames]);
    const hint = meant === undefined ? "" : `. Did you mean "${meant}"?`;
    const there = `Workflows are ${files.join(", ")}; events that start them are ${events.join(", ") || "none"}`;
    return nothing(`"${wish.target}" is no workflow and no event. ${there}${hint}`);
  }
  const event = wish.event ?? (named.length === 0 ? wish.target : undefined);
  return withJobs(named.length > 0 ? named : workflows, { ...wish, ...(event === undefined ? {} : { event }) });
}

function withJobs(candidates: readonly LocalWorkflow[], wish: Wish): Chosen {
  const { event: asked, jobs, target, hasInputs = false } = wish;
  const having = jobs.length === 0 ? candidates : candidates.filter((one) => jobs.every((key) => hasJob(one, key)));
  if (having.length === 0) {
    const known = candidates.flatMap(({ workflow }) => workflow.jobs.map((job) => job.key));
    const meant = jobs.flatMap((job) => (known.includes(job) ? [] : (nearestName(job, known) ?? [])));
    const hint = meant.length === 0 ? "" : `. Did you mean "${meant.join('" and "')}"?`;
    return nothing(`There is no workflow with the job "${jobs.join('" and "')}". Jobs are ${known.join(", ")}${hint}`);
  }
  const event = asked ?? preferredEvent(having, hasInputs ? ["workflow_dispatch", ...preferred] : preferred);
  if (hasInputs && event !== "workflow_dispatch" && event !== "workflow_call") {
    return nothing(`"${event}" takes no inputs. Leave them out, or start a workflow by workflow_dispatch`);
  }
  const paths = having.filter(({ workflow }) => eventsOf(workflow).includes(event)).map(({ path }) => path);
  if (paths.length > 0) return { kind: "chosen", event, paths };
  const what = target === undefined || target === event ? "No workflow" : `No workflow of "${target}"`;
  const known = [...new Set(having.flatMap(({ workflow }) => eventsOf(workflow)))];
  const starts = known.join(", ") || "no event";
  const meant = nearestName(event, known);
  const hint =
    starts === "workflow_call"
      ? ". Run a workflow that calls it"
      : meant === undefined
        ? ""
        : `. Did you mean "${meant}"?`;
  return nothing(`${what} is started by "${event}": ${having.length === 1 ? "it is" : "they are"} by ${starts}${hint}`);
}

function nothing(message: string): Chosen {
  return { kind: "nothing", message };
}

function isNamed({ path, workflow }: LocalWorkflow, target: string): boolean {
  const file = path.split("/").at(-1) ?? "";
  return [path, file, withoutEnding(file), workflow.name].includes(target.replace(/^\.\//, ""));
}

function withoutEnding(file: string): string {
  return file.replace(/\.ya?ml$/, "");
}

function isEvent(text: string, workflows: readonly LocalWorkflow[]): boolean {
  return eventNames.includes(text) || workflows.some(({ workflow }) => eventsOf(workflow).includes(text));
}

function hasJob({ workflow }: LocalWorkflow, key: string): boolean {
  return workflow.jobs.some((job) => job.key === key);
}

function preferredEvent(workflows: readonly LocalWorkflow[], order: readonly string[]): string {
  const events = new Set(workflows.flatMap(({ workflow }) => eventsOf(workflow)));
  return order.find((name) => events.has(name)) ?? [...events].find((name) => name !== "workflow_call") ?? "push";
}

export function eventsOf({ on }: Pick<Workflow, "on">): readonly string[] {
  const known = {
    push: on.push,
    pull_request: on.pullRequest,
    pull_request_target: on.pullRequestTarget,
    workflow_dispatch: on.workflowDispatch,
    workflow_call: on.workflowCall,
    workflow_run: on.workflowRun,
    schedule: on.schedule,
    repository_dispatch: on.repositoryDispatch,
  };
  const named = Object.entries(known).flatMap(([name, trigger]) => (trigger === undefined ? [] : [name]));
  return [...named, ...Object.keys(on.activities ?? {})];
}
