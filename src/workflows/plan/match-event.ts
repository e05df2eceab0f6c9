/** Whether an event starts a workflow. */
import type { PathFilters, RefFilters, Workflow } from "../parse/model.ts";
import { matchesPatterns } from "./glob.ts";

export type TriggerEvent =
  | {
      readonly name: "push";
      /** `refs/heads/…` or `refs/tags/…` */
      readonly ref: string;
      /** Absent when they are not known (first push, all of a branch is new): path filters then match. */
      readonly changedPaths?: readonly string[];
    }
  | {
      readonly name: "pull_request";
      /** `opened`, `synchronize`, … */
      readonly action: string;
      /** Name of the branch it is to go into. */
      readonly baseBranch: string;
      readonly changedPaths?: readonly string[];
    }
  | {
      readonly name: "workflow_dispatch";
      /** Path of the workflow that was asked for. */
      readonly workflow: string;
    };

export function matchEvent(workflow: Workflow, event: TriggerEvent): boolean {
  const { push, pullRequest, workflowDispatch } = workflow.on;
  switch (event.name) {
    case "push":
      return push !== undefined && matchesPush(push, event.ref, event.changedPaths);
    case "pull_request":
      return (
        pullRequest !== undefined &&
        pullRequest.types.includes(event.action) &&
        matchesList(pullRequest.branches, pullRequest.branchesIgnore, event.baseBranch) &&
        matchesPaths(pullRequest, event.changedPaths)
      );
    case "workflow_dispatch":
      return workflowDispatch !== undefined && workflow.path === event.workflow;
  }
}

/** Whether deciding needs to know the paths that changed. */
export function hasPathFilters(workflow: Workflow): boolean {
  return [workflow.on.push, workflow.on.pullRequest].some(
    (trigger) => trigger?.paths !== undefined || trigger?.pathsIgnore !== undefined,
  );
}

function matchesPush(
  filters: RefFilters & PathFilters,
  ref: string,
  changedPaths: readonly string[] | undefined,
): boolean {
  const branches = filters.branches !== undefined || filters.branchesIgnore !== undefined;
  const tags = filters.tags !== undefined || filters.tagsIgnore !== undefined;
  if (ref.startsWith("refs/heads/")) {
    // Filters for tags alone leave branches out, and the other way round.
    if (!branches && tags) return false;
    const branch = ref.slice("refs/heads/".length);
    return matchesList(filters.branches, filters.branchesIgnore, branch) && matchesPaths(filters, changedPaths);
  }
  if (ref.startsWith("refs/tags/")) {
    if (!tags && branches) return false;
    // Paths are not looked at for tags: a tag changes no file.
    return matchesList(filters.tags, filters.tagsIgnore, ref.slice("refs/tags/".length));
  }
  return false;
}

function matchesList(
  only: readonly string[] | undefined,
  ignore: readonly string[] | undefined,
  name: string,
): boolean {
  if (only !== undefined) return matchesPatterns(only, name);
  return ignore === undefined || !matchesPatterns(ignore, name);
}

function matchesPaths(filters: PathFilters, changedPaths: readonly string[] | undefined): boolean {
  const { paths, pathsIgnore } = filters;
  if (changedPaths === undefined) return true;
  if (paths !== undefined) return changedPaths.some((path) => matchesPatterns(paths, path));
  if (pathsIgnore !== undefined) return changedPaths.some((path) => !matchesPatterns(pathsIgnore, path));
  return true;
}
