/** What happened in a repository, as the git room (or a person, for a dispatch) tells it. */
import { fnv1a32 } from "#lib";
import type { ContextObject } from "../protocol.ts";
import type { TriggerEvent } from "../plan/match-event.ts";
import type { CommitFacts, RepositoryFacts } from "../ports.ts";

interface EventBase {
  /** Idempotency key: the same event told twice starts its runs once. */
  readonly id: string;
  /** `owner/name`. */
  readonly repository: string;
  /** `refs/heads/…`, `refs/tags/…`; for pull requests `refs/pull/<number>/merge`. */
  readonly ref: string;
  /** The commit whose workflow files count and which jobs check out; all zeros when the ref was deleted. */
  readonly sha: string;
  /** Login name of who did it. */
  readonly actor: string;
  /** Fields laid over the event payload that is made here; of a pull request `action` and `pull_request`. */
  readonly payload?: ContextObject;
}

export type WorkflowEvent =
  | (EventBase & { readonly name: "push"; /** All zeros for a new ref. */ readonly before: string })
  | (EventBase & { readonly name: "pull_request"; readonly payload: ContextObject })
  | (EventBase & {
      readonly name: "workflow_dispatch";
      /** Path of the workflow file, or its file name alone. */
      readonly workflow: string;
      readonly inputs?: ContextObject;
    });

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
    case "pull_request": {
      const pull = field(event.payload, "pull_request");
      const base = text(field(pull, "base"), "ref") ?? "";
      return { name: "pull_request", action: text(event.payload, "action") ?? "opened", baseBranch: base, ...paths };
    }
    case "workflow_dispatch":
      return { name: "workflow_dispatch", workflow: event.workflow };
  }
}

/** The two commits whose difference path filters look at. */
export function comparedCommits(event: WorkflowEvent): { readonly before: string; readonly after: string } {
  if (event.name === "push") return { before: event.before, after: event.sha };
  if (event.name === "workflow_dispatch") return { before: zeroSha, after: event.sha };
  const pull = field(event.payload, "pull_request");
  const before = text(field(pull, "base"), "sha") ?? zeroSha;
  return { before, after: text(field(pull, "head"), "sha") ?? event.sha };
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
      return { ref: event.ref, workflow: event.workflow, inputs: event.inputs ?? null };
    case "pull_request":
      return { action: "opened" };
  }
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
  if (event.name === "workflow_dispatch" || head === undefined) return false;
  return skipMarks.some((mark) => head.message.includes(mark)) || /\n\n+skip-checks: ?true\s*$/.test(head.message);
}

/** One line for lists of runs. */
export function runTitle(event: WorkflowEvent, head: CommitFacts | undefined, workflowName: string): string {
  if (event.name === "workflow_dispatch") return workflowName;
  const pull = event.name === "pull_request" ? text(field(event.payload, "pull_request"), "title") : undefined;
  const line = pull ?? head?.message.split("\n")[0] ?? workflowName;
  return line.slice(0, 255) || workflowName;
}
