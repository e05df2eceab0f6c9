/** What happened in a repository, as the git room (or a person, for a dispatch) tells it. */
import { fnv1a32 } from "#lib";
import { textOf } from "../expressions/evaluate.ts";
import type { ContextObject } from "../protocol.ts";
import type { TriggerEvent } from "../plan/match-event.ts";
import type { CommitFacts, RepositoryFacts } from "../ports.ts";

interface EventBase {
  /** Idempotency key: the same event told twice starts its runs once. */
  readonly id: string;
  /** `owner/name`. */
  readonly repository: string;
  /**
   * `refs/heads/…`, `refs/tags/…`; for pull requests `refs/pull/<number>/merge`. Of events that are not about a ref the
   * default branch, of `pull_request_target` the base.
   */
  readonly ref: string;
  /** The commit whose workflow files count and which jobs check out; all zeros when the ref was deleted. */
  readonly sha: string;
  /** Login name of who did it. */
  readonly actor: string;
  /** Fields laid over the event payload that is made here; of a pull request `action` and `pull_request`. */
  readonly payload?: ContextObject;
  /**
   * A job did it, with its own token. As on GitHub it then starts no run, but by a dispatch: jobs would start each other
   * for ever.
   */
  readonly byJob?: boolean;
}

/** Events that are told as they are, `action` and all in their payload. */
export type ActivityEvent =
  | "create"
  | "delete"
  | "release"
  | "registry_package"
  | "issues"
  | "issue_comment"
  | "pull_request_review"
  | "pull_request_review_comment"
  | "deployment"
  | "deployment_status"
  | "status"
  | "check_run"
  | "check_suite"
  | "merge_group"
  | "label"
  | "milestone";

export type WorkflowEvent =
  | (EventBase & { readonly name: "push"; /** All zeros for a new ref. */ readonly before: string })
  | (EventBase & { readonly name: "pull_request" | "pull_request_target"; readonly payload: ContextObject })
  | (EventBase & {
      readonly name: "workflow_dispatch";
      /** Path of the workflow file, or its file name alone. */
      readonly workflow: string;
      readonly inputs?: ContextObject;
    })
  | (EventBase & {
      readonly name: "schedule";
      /** Path of the workflow file. */
      readonly workflow: string;
      readonly cron: string;
    })
  | (EventBase & {
      readonly name: "repository_dispatch";
      /** What `types` are matched with. */
      readonly type: string;
      readonly clientPayload?: ContextObject;
    })
  | (EventBase & {
      readonly name: "workflow_run";
      /** `action`, `workflow_run`, `workflow`. */
      readonly payload: ContextObject;
      /** Runs that started each other by this event before. */
      readonly chain: number;
    })
  | (EventBase & { readonly name: ActivityEvent; readonly payload: ContextObject });

export const zeroSha = "0000000000000000000000000000000000000000";

export function isZeroSha(sha: string): boolean {
  return /^0+$/.test(sha);
}

/** The event as triggers see it; `workflow` is the path of the file that is asked. */
export function triggerEvent(event: WorkflowEvent, changedPaths: readonly string[] | undefined): TriggerEvent {
  const paths = changedPaths === undefined ? {} : { changedPaths };
  switch (event.name) {
    case "push":
      return { name: "push", ref: event.ref, ...paths };
    case "pull_request":
    case "pull_request_target": {
      const pull = field(event.payload, "pull_request");
      const base = text(field(pull, "base"), "ref") ?? "";
      return { name: event.name, action: text(event.payload, "action") ?? "opened", baseBranch: base, ...paths };
    }
    case "workflow_dispatch":
    case "schedule":
      return { name: event.name, workflow: event.workflow };
    case "repository_dispatch":
      return { name: "repository_dispatch", type: event.type };
    case "workflow_run": {
      const run = field(event.payload, "workflow_run");
      const workflow = text(run, "name") ?? "";
      const path = text(run, "path") ?? "";
      const branch = text(run, "head_branch") ?? "";
      return { name: "workflow_run", action: text(event.payload, "action") ?? "", workflow, path, branch };
    }
    default: {
      const action = text(event.payload, "action");
      const base = text(field(event.payload, "merge_group"), "base_ref")?.replace(/^refs\/heads\//, "");
      return {
        name: "activity",
        event: event.name,
        ...(action === undefined ? {} : { action }),
        ...(base === undefined ? {} : { branch: base }),
      };
    }
  }
}

/** The two commits whose difference path filters look at. */
export function comparedCommits(event: WorkflowEvent): { readonly before: string; readonly after: string } {
  if (event.name === "push") return { before: event.before, after: event.sha };
  if (event.name !== "pull_request" && event.name !== "pull_request_target")
    return { before: zeroSha, after: event.sha };
  const pull = field(event.payload, "pull_request");
  const before = text(field(pull, "base"), "sha") ?? zeroSha;
  return { before, after: text(field(pull, "head"), "sha") ?? event.sha };
}

/** Whether path filters have anything to look at. */
export function hasChangedPaths(event: WorkflowEvent): boolean {
  return event.name === "push" || event.name === "pull_request" || event.name === "pull_request_target";
}

export function field(value: ContextObject | undefined, key: string): ContextObject | undefined {
  const inner = value?.[key];
  return typeof inner === "object" && inner !== null && !Array.isArray(inner) ? (inner as ContextObject) : undefined;
}

export function text(value: ContextObject | undefined, key: string): string | undefined {
  const inner = value?.[key];
  return typeof inner === "string" ? inner : undefined;
}

export interface PayloadFacts {
  readonly repository: RepositoryFacts;
  /** Newest last. */
  readonly commits: readonly CommitFacts[];
  readonly serverUrl: string;
  readonly apiUrl: string;
}

/** `github.event`, in the shape of GitHub's webhooks. */
export function eventPayload(event: WorkflowEvent, facts: PayloadFacts): ContextObject {
  return {
    repository: repositoryPayload(event.repository, facts),
    sender: person(event.actor, facts.serverUrl),
    ...ownPayload(event, facts),
    ...event.payload,
  };
}

function ownPayload(event: WorkflowEvent, facts: PayloadFacts): ContextObject {
  const url = `${facts.serverUrl}/${event.repository}`;
  switch (event.name) {
    case "push": {
      const commits = facts.commits.map((commit) => commitPayload(commit, url));
      return {
        ref: event.ref,
        before: event.before,
        after: event.sha,
        created: isZeroSha(event.before),
        deleted: isZeroSha(event.sha),
        base_ref: null,
        compare: `${url}/compare/${event.before.slice(0, 12)}...${event.sha.slice(0, 12)}`,
        commits,
        head_commit: commits.at(-1) ?? null,
        pusher: { name: event.actor, email: null },
      };
    }
    case "workflow_dispatch":
      return {
        ref: event.ref,
        workflow: event.workflow,
        inputs: event.inputs === undefined ? null : asTexts(event.inputs),
      };
    case "schedule":
      return { schedule: event.cron, workflow: event.workflow };
    case "repository_dispatch":
      return { action: event.type, branch: refName(event.ref), client_payload: event.clientPayload ?? {} };
    case "pull_request":
    case "pull_request_target":
      return { action: "opened" };
    default:
      return {};
  }
}

/** In the event they are all text, as GitHub sends them: only the context `inputs` knows booleans and numbers. */
function asTexts(inputs: ContextObject): ContextObject {
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, textOf(value)]));
}

/** `refs/heads/a/b` is `a/b`; `refs/pull/5/merge` is `5/merge`. */
export function refName(ref: string): string {
  return ref.replace(/^refs\/(heads|tags|pull)\//, "");
}

function commitPayload(commit: CommitFacts, url: string): ContextObject {
  return {
    id: commit.id,
    tree_id: commit.treeId,
    distinct: true,
    message: commit.message,
    timestamp: commit.timestamp,
    url: `${url}/commit/${commit.id}`,
    author: { ...commit.author },
    committer: { ...commit.committer },
  };
}

function repositoryPayload(repository: string, facts: PayloadFacts): ContextObject {
  const [owner = "", name = ""] = repository.split("/");
  const url = `${facts.serverUrl}/${repository}`;
  return {
    id: facts.repository.id,
    name,
    full_name: repository,
    private: facts.repository.private,
    visibility: facts.repository.private ? "private" : "public",
    owner: { ...person(owner, facts.serverUrl), name: owner },
    html_url: url,
    url: `${facts.apiUrl}/repos/${repository}`,
    clone_url: `${url}.git`,
    git_url: `${url}.git`,
    ssh_url: `${url}.git`,
    default_branch: facts.repository.defaultBranch,
    master_branch: facts.repository.defaultBranch,
    fork: false,
    archived: false,
  };
}

/** People and owners have names here; where GitHub has a number for them, the name gives a stable one. */
export function personId(login: string): number {
  return fnv1a32(login.toLowerCase());
}

function person(login: string, serverUrl: string): ContextObject {
  return { login, id: personId(login), html_url: `${serverUrl}/${login}`, type: "User", site_admin: false };
}

const skipMarks = ["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"] as const;

/** GitHub's rule for pushes and pull requests: a mark in the message of the newest commit, or a trailer. */
export function asksToSkip(event: WorkflowEvent, head: CommitFacts | undefined): boolean {
  if ((event.name !== "push" && event.name !== "pull_request") || head === undefined) return false;
  return skipMarks.some((mark) => head.message.includes(mark)) || /\n\n+skip-checks: ?true\s*$/.test(head.message);
}

/** One line for lists of runs. */
export function runTitle(event: WorkflowEvent, head: CommitFacts | undefined, workflowName: string): string {
  return (ownTitle(event, head) ?? workflowName).split("\n")[0]?.slice(0, 255) || workflowName;
}

function ownTitle(event: WorkflowEvent, head: CommitFacts | undefined): string | undefined {
  switch (event.name) {
    case "push":
      return head?.message;
    case "pull_request":
    case "pull_request_target":
      return text(field(event.payload, "pull_request"), "title") ?? head?.message;
    case "repository_dispatch":
      return event.type;
    case "release": {
      const release = field(event.payload, "release");
      return text(release, "name") ?? text(release, "tag_name");
    }
    case "create":
    case "delete":
      return text(event.payload, "ref");
    case "registry_package":
      return text(field(event.payload, "registry_package"), "name");
    default:
      return undefined;
  }
}
