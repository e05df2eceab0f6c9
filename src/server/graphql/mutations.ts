/** What actions change over GraphQL, since REST has no word for it, or because they like it better. */
import type { IssueView } from "#forge";
import type { Repository } from "#git";
import { isObject } from "#lib";
import { badField, notFound } from "../rest/rest-error.ts";
import { type Args, Graph } from "./execute.ts";
import { type Asker, commentGraph, requireArea, subjectGraph, textOf } from "./graph.ts";

const reasons = ["ABUSE", "DUPLICATE", "OFF_TOPIC", "OUTDATED", "RESOLVED", "SPAM"];

export function mutationRoot(asker: Asker): Graph {
  const { forge, signal } = asker.parts;
  const { name: actor } = asker.identity;
  const comment = async (args: Args, key: string) => {
    const { id, repository, issue } = await reached(asker, textOf(args, key), "IssueComment");
    return { id, repository, issue, url: pageOf(asker, repository, issue) };
  };
  const draft = async (args: Args, draftNow: boolean): Promise<Graph> => {
    const { repository, issue } = await reached(asker, textOf(args, "pullRequestId"), "PullRequest");
    await forge.pulls.update(repository, issue.number, { draft: draftNow }, actor, signal);
    return payload(args, { pullRequest: await subjectGraph(asker, repository, issue) });
  };
  const minimize = async (args: Args, reason: string | null): Promise<Graph> => {
    const { id, repository, url } = await comment(args, "subjectId");
    const changed = await forge.issues.minimizeComment(repository, id, reason);
    const graph = commentGraph(asker, changed, url);
    return payload(args, { minimizedComment: graph, unminimizedComment: graph });
  };
  return mutations({
    async addComment(args) {
      const { repository, issue } = await reached(asker, textOf(args, "subjectId"), "Issue", "PullRequest");
      const made = await forge.issues.addComment(repository, issue.number, textOf(args, "body"), actor);
      const node = commentGraph(asker, made, pageOf(asker, repository, issue));
      return payload(args, { commentEdge: new Graph("IssueCommentEdge", { node }) });
    },
    async updateIssueComment(args) {
      const { id, repository, url } = await comment(args, "id");
      const edited = await forge.issues.editComment(repository, id, textOf(args, "body"), actor);
      return payload(args, { issueComment: commentGraph(asker, edited, url) });
    },
    async deleteIssueComment(args) {
      const { id, repository } = await comment(args, "id");
      await forge.issues.deleteComment(repository, id, actor);
      return payload(args, {});
    },
    async minimizeComment(args) {
      const reason = textOf(args, "classifier");
      if (!reasons.includes(reason)) throw badField("Query", "classifier", `It is one of ${reasons.join(", ")}`);
      return await minimize(args, reason.toLowerCase().replace("_", "-"));
    },
    unminimizeComment: (args) => minimize(args, null),
    convertPullRequestToDraft: (args) => draft(args, true),
    markPullRequestReadyForReview: (args) => draft(args, false),
  });
}

/** Each takes one argument, `input`. */
function mutations(all: Readonly<Record<string, (input: Args) => Promise<Graph>>>): Graph {
  const fields = Object.entries(all).map(([name, run]) => {
    const field = (args: Args): Promise<Graph> => run(isObject(args["input"]) ? args["input"] : {});
    return [name, field] as const;
  });
  return new Graph("Mutation", Object.fromEntries(fields));
}

function payload(args: Args, fields: Readonly<Record<string, unknown>>): Graph {
  return new Graph("Payload", { clientMutationId: args["clientMutationId"] ?? null, ...fields });
}

/** What a node's id names, for somebody who may write there. */
async function reached(
  asker: Asker,
  nodeIdText: string,
  ...types: readonly string[]
): Promise<{ readonly id: number; readonly repository: Repository; readonly issue: IssueView }> {
  const [, type = "", digits = ""] =
    /^(\w+):(\d{1,15})$/.exec(Buffer.from(nodeIdText, "base64").toString("utf8")) ?? [];
  if (!types.includes(type)) throw notFound();
  const { forge, repositories } = asker.parts;
  const id = Number(digits);
  const place = await forge.issues.place(type === "IssueComment" ? "comment" : "issue", id);
  const repository = place === undefined ? undefined : await repositories.named(place.repositoryId);
  const issue = place === undefined ? undefined : await forge.issues.get(place.repositoryId, place.number);
  if (repository === undefined || issue === undefined) throw notFound();
  requireArea(asker, repository, issue, "write");
  return { id, repository, issue };
}

function pageOf({ parts }: Asker, repository: Repository, { kind, number }: IssueView): string {
  return `${parts.serverUrl()}/${repository.name}/${kind === "pull" ? "pull" : "issues"}/${number}`;
}
