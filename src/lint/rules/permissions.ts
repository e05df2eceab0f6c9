/** What the token of a job may do. */
import type { YamlNode } from "#workflows";
import { commentOn, type LintDocument, type LintJob } from "../document.ts";
import type { Found, Rule } from "../finding.ts";
import { nodeAt, pairsOf, textOf } from "../tree.ts";

/** Scopes whose write access lets a stranger's code take over the repository or what it ships. */
const powerful: ReadonlySet<string> = new Set([
  "actions",
  "attestations",
  "contents",
  "deployments",
  "discussions",
  "id-token",
  "issues",
  "packages",
  "pages",
  "pull-requests",
  "repository-projects",
  "security-events",
  "statuses",
  "checks",
]);

export const excessivePermissions: Rule = {
  name: "excessive-permissions",
  summary: "A token may do more than its job needs",
  severity: "warning",
  kinds: ["workflow"],
  *check(document) {
    const top = nodeAt(document.root, "permissions");
    yield* broad(top, "the whole workflow");
    const called = onlyCalled(document);
    // With one job, or where a caller decides, it comes to the same.
    const pedantic = document.jobs.length < 2 || called || document.jobs.every(hasOwn);
    for (const pair of pairsOf(top)) {
      if (textOf(pair.value) !== "write") continue;
      yield {
        at: pair.key.start,
        pedantic: pedantic || !powerful.has(pair.key.value),
        message: `Every job gets "${pair.key.value}: write". Give it to the job that needs it`,
      };
    }
    for (const job of document.jobs) yield* broad(nodeAt(job.node, "permissions"), `job "${job.key}"`);
    if (top !== undefined) return;
    if (document.jobs.every(hasOwn) && document.jobs.length > 0) {
      const message = 'A job that is added gets the default permissions. Write "permissions: {}" above the jobs';
      yield { at: document.root.start, about: document.root, severity: "note", pedantic: true, message };
    }
    for (const job of document.jobs) {
      if (hasOwn(job)) continue;
      const message = `Job "${job.key}" gets the default permissions, whatever they are. Write "permissions: {}" above the jobs and what each needs in it`;
      yield {
        at: job.at,
        about: job.node,
        message,
        severity: "note",
        pedantic: called && nodeAt(job.node, "uses") === undefined,
      };
    }
  },
};

function hasOwn(job: LintJob): boolean {
  return nodeAt(job.node, "permissions") !== undefined;
}

/** A called workflow has the permissions that its caller gives. */
function onlyCalled(document: LintDocument): boolean {
  return document.events.length === 1 && document.events[0] === "workflow_call";
}

function* broad(node: YamlNode | undefined, what: string): Iterable<Found> {
  const text = textOf(node);
  if (node === undefined || text === undefined) return;
  if (text === "write-all")
    yield { at: node.start, severity: "error", message: `The token of ${what} may do everything. Name what it needs` };
  if (text === "read-all")
    yield { at: node.start, message: `The token of ${what} may read everything. Name what it needs` };
}

export const undocumentedPermissions: Rule = {
  name: "undocumented-permissions",
  summary: "A permission without a word on what it is for",
  severity: "note",
  kinds: ["workflow"],
  pedantic: true,
  *check(document) {
    const blocks = [document.root, ...document.jobs.map((job) => job.node)].map((owner) =>
      nodeAt(owner, "permissions"),
    );
    for (const pair of blocks.flatMap(pairsOf)) {
      if (pair.key.value === "contents" && textOf(pair.value) === "read") continue;
      if (textOf(pair.value) === "none" || !isBlank(commentOn(document, pair.key.start.line))) continue;
      yield { at: pair.key.start, message: `Say in a comment what "${pair.key.value}" is needed for` };
    }
  },
};

function isBlank(comment: string | undefined): boolean {
  return comment === undefined || comment === "";
}
