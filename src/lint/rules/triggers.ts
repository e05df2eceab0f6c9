/** What may start a workflow, and what it then has in its hands. */
import { Binary } from "@actions/expressions/ast";
import { commentOn, type LintDocument, type LintJob, type LintStep } from "../document.ts";
import { conditionOf, expressionsIn, literalOf, pathOf, readsOf, walk } from "../expressions.ts";
import type { Found, Rule } from "../finding.ts";
import { cachingActions, publishingActions, type Restores } from "../known/caching-actions.ts";
import { itemsOf, nodeAt, pairAt, textAt, textOf, textsOf } from "../tree.ts";
import type { YamlNode } from "#workflows";
import { parseUses } from "../uses.ts";

const dangerous = ["pull_request_target", "workflow_run"] as const;

export const dangerousTriggers: Rule = {
  name: "dangerous-triggers",
  summary: "Strangers can start it, and it runs with this repository's rights",
  severity: "warning",
  kinds: ["workflow"],
  *check(document) {
    const on = nodeAt(document.root, "on");
    for (const [name, remedy] of Object.entries(startedByStrangers)) {
      if (!document.events.includes(name) || (name === "pull_request_target" && onlyLabels(document))) continue;
      const at = pairAt(on, name)?.key.start ?? itemsOf(on).find((item) => textOf(item) === name)?.start ?? on?.start;
      yield {
        at: at ?? document.root.start,
        ...(on === undefined ? {} : { about: on }),
        message: `"${name}" runs with secrets and write access on what strangers send. ${remedy}`,
      };
    }
  },
};

const startedByStrangers: Readonly<Record<string, string>> = {
  pull_request_target: 'Use "pull_request" unless it must',
  workflow_run: 'Use "workflow_call" unless it must',
  issue_comment: "Check who wrote the comment, and take nothing of its text into a script",
};

/** What the trigger was made for: it looks at names of files and runs nothing of the change. */
function onlyLabels(document: LintDocument): boolean {
  const [step, ...more] = document.steps;
  const uses = parseUses(step?.uses ?? "");
  return (
    more.length === 0 && document.jobs.length === 1 && uses?.kind === "repository" && uses.slug === "actions/labeler"
  );
}

const strangersCode: ReadonlySet<string> = new Set([
  "github.event.pull_request.head.sha",
  "github.event.pull_request.head.ref",
  "github.event.pull_request.head.repo.full_name",
  "github.event.workflow_run.head_sha",
  "github.event.workflow_run.head_branch",
  "github.event.workflow_run.head_repository.full_name",
  "github.head_ref",
]);

export const untrustedCheckout: Rule = {
  name: "untrusted-checkout",
  summary: "A stranger's code is checked out where secrets and write access are",
  severity: "error",
  kinds: ["workflow"],
  *check(document) {
    const trigger = dangerous.find((name) => document.events.includes(name));
    if (trigger === undefined) return;
    for (const step of document.steps) {
      const checkout = step.uses?.toLowerCase().startsWith("actions/checkout") === true;
      const nodes = checkout
        ? [nodeAt(step.node, "with", "ref"), nodeAt(step.node, "with", "repository")]
        : [nodeAt(step.node, "run")];
      for (const { at, source, tree } of nodes.flatMap((node) => expressionsIn(document, node))) {
        const reads = tree === undefined ? [] : readsOf(tree, true);
        const merge = checkout && reads.includes("github.event.pull_request.number");
        const fetches =
          checkout || /\bgit\s+(?:fetch|checkout|pull|clone)\b|\bgh\s+pr\s+checkout\b/.test(step.run ?? "");
        if (!merge && !(fetches && reads.some((path) => strangersCode.has(path)))) continue;
        yield {
          at,
          message: `"${source}" brings a stranger's code into a workflow of "${trigger}", with secrets and write access. Do that in a workflow of "pull_request"`,
        };
      }
    }
  },
};

export const botConditions: Rule = {
  name: "bot-conditions",
  summary: "A check for a bot that anyone can pass",
  severity: "error",
  kinds: ["workflow"],
  *check(document) {
    const nodes = [...document.jobs.map((job) => job.node), ...document.steps.map((step) => step.node)];
    for (const node of nodes) {
      const condition = conditionOf(document, nodeAt(node, "if"));
      if (condition?.tree === undefined) continue;
      for (const part of walk(condition.tree)) {
        if (!(part instanceof Binary) || part.operator.lexeme !== "==") continue;
        const path = pathOf(part.left) ?? pathOf(part.right);
        const value = literalOf(part.left) ?? literalOf(part.right);
        if (path === undefined || value === undefined || !isBotCheck(path, value)) continue;
        const severity = dangerous.some((name) => document.events.includes(name)) ? "error" : "warning";
        yield {
          at: condition.at,
          severity,
          message: `"${path}" is who acted last, not who wrote the change. Compare "github.event.pull_request.user.login"`,
        };
      }
    }
  },
};

const actorNames: ReadonlySet<string> = new Set([
  "github.actor",
  "github.triggering_actor",
  "github.event.sender.login",
  "github.event.pull_request.sender.login",
]);
const actorIds: ReadonlySet<string> = new Set([
  "github.actor_id",
  "github.event.sender.id",
  "github.event.pull_request.sender.id",
]);
/** Of Dependabot (the user, its preview, the app) and Renovate. */
const botIds: ReadonlySet<string> = new Set(["49699333", "27856297", "29110", "29139614"]);

function isBotCheck(path: string, value: string): boolean {
  return actorNames.has(path) ? value.endsWith("[bot]") : actorIds.has(path) && botIds.has(value);
}

export const cachePoisoning: Rule = {
  name: "cache-poisoning",
  summary: "What is released may contain what an earlier run put into the cache",
  severity: "warning",
  kinds: ["workflow"],
  *check(document) {
    if (!releases(document)) return;
    for (const step of document.steps) {
      const restores = restoresCache(document, step);
      if (restores === "no") continue;
      yield {
        at: nodeAt(step.node, "uses")?.start ?? step.node.start,
        ...(restores === "maybe" ? { severity: "note" } : {}),
        message: `"${step.uses ?? ""}" ${restores === "maybe" ? "may restore" : "restores"} a cache into what is released. Build releases without one`,
      };
    }
  },
};

function releases(document: LintDocument): boolean {
  const tags = nodeAt(document.root, "on", "push", "tags");
  const branches = textsOf(nodeAt(document.root, "on", "push", "branches"));
  if (document.events.includes("release") || tags !== undefined || branches.some((name) => /release/i.test(name)))
    return true;
  return document.steps.some((step) => {
    const uses = parseUses(step.uses ?? "");
    if (uses?.kind !== "repository" || !publishingActions.has(uses.slug)) return false;
    return uses.slug !== "docker/build-push-action" || textAt(step.node, "with", "push") === "true";
  });
}

function restoresCache(document: LintDocument, step: LintStep): Restores {
  const uses = parseUses(step.uses ?? "");
  if (uses?.kind !== "repository") return "no";
  const known = cachingActions[uses.path === "" ? uses.slug : `${uses.slug}/${uses.path.toLowerCase()}`];
  const inputs = nodeAt(step.node, "with");
  if (known === undefined || inputs?.kind === "scalar") return "no";
  const comment = commentOn(document, nodeAt(step.node, "uses")?.start.line ?? 0);
  const major = [uses.ref, comment].map((text) => /^(?:tag=)?v?(\d{1,4})(?:\.\d+)*(?:\s|$)/.exec(text ?? "")?.[1]);
  const told = major.find((text) => text !== undefined);
  return known({ input: (name) => textAt(inputs, name), major: told === undefined ? undefined : Number(told) });
}

export const concurrencyLimits: Rule = {
  name: "concurrency-limits",
  summary: "Runs that a newer one makes needless go on",
  severity: "note",
  kinds: ["workflow"],
  pedantic: true,
  *check(document) {
    if (document.events.length === 1 && document.events[0] === "workflow_call") return;
    const own = nodeAt(document.root, "concurrency");
    const ending = 'Add "cancel-in-progress", so that a newer run ends the one it replaces, or say that it is false';
    if (own?.kind === "scalar") yield { at: own.start, message: ending };
    if (own !== undefined) return;
    const on = pairAt(document.root, "on");
    const jobs = document.jobs.filter((found) => nodeAt(found.node, "uses") === undefined);
    for (const found of jobs) {
      const limit = nodeAt(found.node, "concurrency");
      if (limit?.kind === "scalar") yield { at: limit.start, message: ending };
    }
    if (jobs.some((found) => nodeAt(found.node, "concurrency") === undefined))
      yield {
        at: (on?.key ?? document.root).start,
        ...(on === undefined ? {} : { about: on.value }),
        message: `Add "concurrency" with "cancel-in-progress", so that a newer run ends the one it replaces`,
      };
  },
};

export const selfHostedRunner: Rule = {
  name: "self-hosted-runner",
  summary: "A stranger's pull request may run on a machine that is kept",
  severity: "note",
  kinds: ["workflow"],
  pedantic: true,
  *check(document): Iterable<Found> {
    for (const job of document.jobs) {
      const node = nodeAt(job.node, "runs-on");
      if (node === undefined || !mayOutlive(job, node)) continue;
      yield {
        at: node.start,
        message: `Job "${job.key}" may run on a machine that outlives it. Use ephemeral runners where strangers can start it`,
      };
    }
  },
};

/** By its label, by a group, which has machines of one's own, or by what a matrix or another expression gives. */
function mayOutlive(job: LintJob, node: YamlNode): boolean {
  const labels = textsOf(node.kind === "mapping" ? nodeAt(node, "labels") : node);
  if (labels.includes("self-hosted") || nodeAt(node, "group") !== undefined) return true;
  const key = /^\$\{\{\s*matrix\.([\w-]+)\s*\}\}$/.exec(labels[0] ?? "")?.[1];
  if (key === undefined) return node.kind === "sequence" && labels[0]?.includes("${{") === true;
  const matrix = nodeAt(job.node, "strategy", "matrix");
  const added = itemsOf(nodeAt(matrix, "include")).map((item) => nodeAt(item, key));
  const excluded = new Set(itemsOf(nodeAt(matrix, "exclude")).flatMap((item) => textsOf(nodeAt(item, key))));
  const own = itemsOf(nodeAt(matrix, key)).filter((item) => !excluded.has(textOf(item) ?? ""));
  return [...own, ...added].some((value) => textsOf(value).includes("self-hosted"));
}
