/** Whether an event starts a workflow. */
import type { ActivityTrigger, BranchFilters, PathFilters, RefFilters, Workflow } from "../parse/model.ts";
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
      readonly name: "pull_request" | "pull_request_target";
      /** `opened`, `synchronize`, … */
      readonly action: string;
      /** Name of the branch it is to go into. */
      readonly baseBranch: string;
      readonly changedPaths?: readonly string[];
    }
  | {
      readonly name: "workflow_dispatch" | "schedule";
      /** Path of the workflow that was asked for. */
      readonly workflow: string;
    }
  | {
      readonly name: "workflow_run";
      /** `requested`, `in_progress`, `completed` */
      readonly action: string;
      /** Name and path of the workflow that ran. */
      readonly workflow: string;
      readonly path: string;
      /** Name of the branch or tag it ran for. */
      readonly branch: string;
    }
  | { readonly name: "repository_dispatch"; readonly type: string }
  | {
      readonly name: "activity";
      /** `release`, `create`, … */
      readonly event: string;
      readonly action?: string;
      /** Of events about a branch. */
      readonly branch?: string;
    };

export function matchEvent(workflow: Workflow, event: TriggerEvent): boolean {
  const { on } = workflow;
  switch (event.name) {
    case "push":
      return on.push !== undefined && matchesPush(on.push, event.ref, event.changedPaths);
    case "pull_request":
    case "pull_request_target": {
      const trigger = event.name === "pull_request" ? on.pullRequest : on.pullRequestTarget;
      return (
        trigger !== undefined &&
        trigger.types.includes(event.action) &&
        matchesBranch(trigger, event.baseBranch) &&
        matchesPaths(trigger, event.changedPaths)
      );
    }
    case "workflow_dispatch":
      return on.workflowDispatch !== undefined && workflow.path === event.workflow;
    case "schedule":
      return on.schedule !== undefined && workflow.path === event.workflow;
    case "workflow_run":
      return (
        on.workflowRun !== undefined &&
        on.workflowRun.workflows.some((name) => name === event.workflow || name === event.path) &&
        matchesActivity(on.workflowRun, event.action, event.branch)
      );
    case "repository_dispatch":
      return on.repositoryDispatch !== undefined && matchesActivity(on.repositoryDispatch, event.type, undefined);
    case "activity": {
      const trigger = on.activities?.[event.event];
      return trigger !== undefined && matchesActivity(trigger, event.action, event.branch);
    }
  }
}

/** Whether deciding needs to know the paths that changed. */
export function hasPathFilters(workflow: Workflow): boolean {
  const { push, pullRequest, pullRequestTarget } = workflow.on;
  return [push, pullRequest, pullRequestTarget].some(
    (trigger) => trigger?.paths !== undefined || trigger?.pathsIgnore !== undefined,
  );
}

function matchesActivity(trigger: ActivityTrigger, action: string | undefined, branch: string | undefined): boolean {
  if (trigger.types !== undefined && (action === undefined || !trigger.types.includes(action))) return false;
  return branch === undefined || matchesBranch(trigger, branch);
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
    return matchesBranch(filters, ref.slice("refs/heads/".length)) && matchesPaths(filters, changedPaths);
  }
  if (ref.startsWith("refs/tags/")) {
    if (!tags && branches) return false;
    // Paths are not looked at for tags: a tag changes no file.
    return matchesList(filters.tags, filters.tagsIgnore, ref.slice("refs/tags/".length));
  }
  return false;
}

function matchesBranch(filters: BranchFilters, branch: string): boolean {
  return matchesList(filters.branches, filters.branchesIgnore, branch);
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
