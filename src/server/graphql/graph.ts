/** The part of GitHub's graph that actions ask for: comments of issues and pull requests, and drafts. */
import type { CommentView, IssueView, PullView } from "#forge";
import type { Identity } from "#api";
import type { Repository } from "#git";
import { allows, forbidden, knows, type RestParts } from "../rest/face.ts";
import { isoTime, jobLogin, loginOf, nodeId, optionalTime } from "../rest/people.ts";
import { badField, notFound } from "../rest/rest-error.ts";
import { type Args, Graph } from "./execute.ts";

export interface Asker {
  readonly parts: RestParts;
  readonly identity: Identity;
}

const mostNodes = 100;

export function queryRoot(asker: Asker): Graph {
  return new Graph("Query", {
    viewer: new Graph("User", { login: loginOf(asker.identity.name), id: nodeId("User", asker.identity.name) }),
    repository: async (args: Args) => await repositoryGraph(asker, args),
    rateLimit: new Graph("RateLimit", { limit: 1_000_000, cost: 1, remaining: 1_000_000, used: 0 }),
  });
}

async function repositoryGraph(asker: Asker, args: Args): Promise<Graph> {
  const repository = await asker.parts.repositories.get(`${textOf(args, "owner")}/${textOf(args, "name")}`);
  if (repository === undefined || !knows(asker.identity, repository.name)) throw notFound();
  const [owner = "", name = ""] = repository.name.split("/");
  const numbered = async (kind: "issue" | "pull" | undefined, { number }: Args): Promise<Graph> => {
    const found = await asker.parts.forge.issues.get(repository.id, Number(number) || 0);
    if (found === undefined || (kind !== undefined && found.kind !== kind)) throw notFound();
    return await subjectGraph(asker, repository, found);
  };
  return new Graph("Repository", {
    id: nodeId("Repository", repository.id),
    name,
    nameWithOwner: repository.name,
    owner: new Graph("Organization", { login: owner }, ["RepositoryOwner", "Actor"]),
    url: `${asker.parts.serverUrl()}/${repository.name}`,
    isPrivate: true,
    defaultBranchRef: new Graph("Ref", { name: repository.defaultBranch }),
    pullRequest: (given: Args) => numbered("pull", given),
    issue: (given: Args) => numbered("issue", given),
    issueOrPullRequest: (given: Args) => numbered(undefined, given),
  });
}

/** An issue or a pull request, for somebody who may read it. */
export async function subjectGraph(asker: Asker, repository: Repository, issue: IssueView): Promise<Graph> {
  requireArea(asker, repository, issue, "read");
  const { forge, serverUrl } = asker.parts;
  const pull = issue.kind === "pull" ? await forge.pulls.get(repository.id, issue.number) : undefined;
  const url = `${serverUrl()}/${repository.name}/${pull === undefined ? "issues" : "pull"}/${issue.number}`;
  const common = {
    id: nodeId(pull === undefined ? "Issue" : "PullRequest", issue.id),
    databaseId: issue.id,
    number: issue.number,
    title: issue.title,
    body: issue.body,
    url,
    author: actor(issue.author),
    createdAt: isoTime(issue.createdAt),
    updatedAt: isoTime(issue.updatedAt),
    closed: issue.state === "closed",
    closedAt: optionalTime(issue.closedAt),
    locked: false,
    labels: (args: Args) =>
      connection("Label", issue.labels, args, ({ name, color }) => new Graph("Label", { name, color })),
    assignees: (args: Args) => connection("User", issue.assignees, args, actor),
    comments: async (args: Args) => {
      const all = await forge.issues.comments(repository.id, issue.number);
      return connection("IssueComment", all, args, (one) => commentGraph(asker, one, url));
    },
  };
  if (pull === undefined) return new Graph("Issue", { ...common, state: issue.state.toUpperCase() }, subjectTypes);
  return new Graph("PullRequest", { ...common, ...pullFields(pull) }, subjectTypes);
}

const subjectTypes = ["Node", "Comment", "Labelable", "Assignable", "Closable"];

function pullFields(pull: PullView): Readonly<Record<string, unknown>> {
  return {
    state: pull.mergedAt === null ? pull.state.toUpperCase() : "MERGED",
    isDraft: pull.draft,
    merged: pull.mergedAt !== null,
    mergeable: pull.mergeable === null ? "UNKNOWN" : pull.mergeable ? "MERGEABLE" : "CONFLICTING",
    headRefName: pull.head.ref,
    headRefOid: pull.head.sha,
    baseRefName: pull.base.ref,
    baseRefOid: pull.base.sha,
    isCrossRepository: !pull.sameRepository,
  };
}

export function commentGraph({ identity }: Asker, comment: CommentView, url: string): Graph {
  const { id, body, author, minimized } = comment;
  return new Graph(
    "IssueComment",
    {
      id: nodeId("IssueComment", id),
      databaseId: id,
      body,
      url: `${url}#issuecomment-${id}`,
      author: actor(author),
      viewerDidAuthor: loginOf(author) === loginOf(identity.name),
      createdAt: isoTime(comment.createdAt),
      updatedAt: isoTime(comment.updatedAt),
      isMinimized: minimized !== null,
      minimizedReason: minimized,
    },
    ["Node", "Comment", "Minimizable"],
  );
}

/** Of a bot GraphQL leaves out what REST puts behind its name. */
function actor(name: string): Graph {
  const login = loginOf(name);
  const bot = login === jobLogin;
  const type = bot ? "Bot" : "User";
  return new Graph(type, { login: login.replace(/\[bot\]$/, ""), id: nodeId(type, login) }, ["Actor", "Node"]);
}

/** `first` after `after`, or `last` before `before`; cursors are places in the list. */
function connection<T>(type: string, all: readonly T[], args: Args, graph: (one: T) => Graph): Graph {
  const count = Math.min(Number(args["first"] ?? args["last"] ?? mostNodes) || mostNodes, mostNodes);
  const end = args["before"] === undefined || args["before"] === null ? all.length : placeOf(args["before"]);
  const after = args["after"] === undefined || args["after"] === null ? 0 : placeOf(args["after"]) + 1;
  const start = args["last"] === undefined || args["last"] === null ? after : Math.max(after, end - count);
  const page = all.slice(start, Math.min(end, start + count));
  const nodes = page.map(graph);
  const cursor = (index: number): string => Buffer.from(String(start + index)).toString("base64");
  return new Graph(`${type}Connection`, {
    totalCount: all.length,
    nodes,
    edges: nodes.map((node, index) => new Graph(`${type}Edge`, { node, cursor: cursor(index) })),
    pageInfo: new Graph("PageInfo", {
      startCursor: nodes.length === 0 ? null : cursor(0),
      endCursor: nodes.length === 0 ? null : cursor(nodes.length - 1),
      hasNextPage: start + page.length < all.length,
      hasPreviousPage: start > 0,
    }),
  });
}

function placeOf(cursor: unknown): number {
  const place = typeof cursor === "string" ? Number(Buffer.from(cursor, "base64").toString("utf8")) : Number.NaN;
  if (!Number.isSafeInteger(place) || place < 0) throw badField("Query", "after", `"${String(cursor)}" is no cursor`);
  return place;
}

export function textOf(args: Args, name: string): string {
  const value = args[name];
  if (typeof value === "string") return value;
  throw badField("Query", name, `${name} must be a text`);
}

export function requireArea(
  { identity }: Asker,
  repository: Repository,
  { kind }: Pick<IssueView, "kind">,
  verb: "read" | "write",
): void {
  if (!knows(identity, repository.name)) throw notFound();
  const mayPull = kind === "pull" && allows(identity, "pull-requests", verb, repository.name);
  if (!mayPull && !allows(identity, "issues", verb, repository.name)) throw forbidden(identity);
}
