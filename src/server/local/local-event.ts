/** The event that a local run is told: made of the working tree and of what the user gave. Pure. */
import { type Checked, isObject, type Problem } from "#lib";
import type { ContextObject, WorkflowEvent } from "#workflows";
import type { Snapshot, WorkingTree } from "./working-tree.ts";

export interface EventRequest {
  readonly name: string;
  /** Fields of the event payload, laid over what is made here. */
  readonly payload: ContextObject;
  readonly inputs: Readonly<Record<string, string>>;
  readonly actor: string;
}

/** Events that can be told by their name and payload alone. */
const activities = [
  "create",
  "delete",
  "release",
  "registry_package",
  "issues",
  "issue_comment",
  "pull_request_review",
  "pull_request_review_comment",
  "deployment",
  "deployment_status",
  "status",
  "check_run",
  "check_suite",
  "merge_group",
  "label",
  "milestone",
] as const;

export const eventNames: readonly string[] = [
  "push",
  "pull_request",
  "pull_request_target",
  "workflow_dispatch",
  "schedule",
  "repository_dispatch",
  "workflow_run",
  ...activities,
];

type Base = Pick<WorkflowEvent, "id" | "repository" | "ref" | "sha" | "actor" | "payload">;

/** @param path the file that the event starts, for those that name one */
export function localEvent(
  request: EventRequest,
  tree: WorkingTree,
  { sha, before = "0".repeat(40) }: Snapshot,
  path: string,
): Checked<WorkflowEvent> {
  const { name, payload, actor } = request;
  const ref = textOf(payload["ref"]) ?? `refs/heads/${tree.branch}`;
  const base: Base = { id: `local ${name} ${path}`, repository: tree.repository, ref, sha, actor, payload };
  switch (name) {
    case "push":
      return value({ ...base, name, before });
    case "pull_request":
    case "pull_request_target":
      return value(pullRequest(name, base, tree, before));
    case "workflow_dispatch": {
      // They come back with defaults, and as text.
      const { inputs, ...told } = payload;
      const given = { ...objectOf(inputs), ...request.inputs };
      return value({ ...base, payload: told, name, workflow: path, inputs: given });
    }
    case "schedule":
      return value({ ...base, name, workflow: path, cron: textOf(payload["schedule"]) ?? "0 0 * * *" });
    case "repository_dispatch": {
      const clientPayload = objectOf(payload["client_payload"]);
      return value({ ...base, name, type: textOf(payload["action"]) ?? "local", clientPayload });
    }
    case "workflow_run":
      return value({ ...base, name, payload: { action: "completed", ...payload }, chain: 0 });
    default: {
      const activity = activities.find((one) => one === name);
      if (activity !== undefined) return value({ ...base, name: activity, payload });
      const message = `There is no event "${name}". Events are ${eventNames.join(", ")}`;
      return { problems: [{ path: "event", message }] };
    }
  }
}

function value(event: WorkflowEvent): Checked<WorkflowEvent> {
  return { value: event, problems: [] };
}

/** Of the branch into the default branch, within the repository: so it has its secrets, unless the payload says else. */
function pullRequest(
  name: "pull_request" | "pull_request_target",
  base: Base,
  tree: WorkingTree,
  before: string,
): WorkflowEvent {
  const payload = base.payload ?? {};
  const given = objectOf(payload["pull_request"]);
  const number = numberOf(payload["number"]) ?? numberOf(given["number"]) ?? 1;
  const repo = { full_name: tree.repository };
  const head = { ref: tree.branch, sha: base.sha, repo, ...objectOf(given["head"]) };
  const target = { ref: tree.defaultBranch, sha: before, repo, ...objectOf(given["base"]) };
  const title = `Working tree of ${tree.branch}`;
  const pull = { number, title, state: "open", draft: false, merged: false, ...given, head, base: target };
  const ref = name === "pull_request" ? `refs/pull/${number}/merge` : `refs/heads/${target.ref}`;
  return { ...base, name, ref, payload: { action: "opened", number, ...payload, pull_request: pull } };
}

function objectOf(value: unknown): ContextObject {
  return isObject(value) ? (value as ContextObject) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value > 0 ? value : undefined;
}

/** The payload out of a file, as JSON. */
export function readPayload(file: string, text: string): Checked<ContextObject> {
  const problem = (message: string): Checked<ContextObject> => ({
    problems: [{ path: "", message, at: { file } } satisfies Problem],
  });
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? { value: parsed as ContextObject, problems: [] } : problem("The event must be an object");
  } catch (error) {
    return problem(`The event is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
