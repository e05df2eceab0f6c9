/** What may start a workflow, and what it then has in its hands. */
import { Binary } from "@actions/expressions/ast";
import type { LintDocument, LintStep } from "../document.ts";
import { conditionOf, expressionsIn, literalOf, pathOf, readsOf, walk } from "../expressions.ts";
import type { Found, Rule } from "../finding.ts";
import { cachingActions, publishingActions } from "../known-actions.ts";
import { nodeAt, pairAt, textAt, textsOf } from "../tree.ts";
import { parseUses } from "../uses.ts";

const dangerous = ["pull_request_target", "workflow_run"] as const;

export const dangerousTriggers: Rule = {
  name: "dangerous-triggers",
  summary: "Strangers can start it, and it runs with this repository's rights",
  severity: "warning",
  kinds: ["workflow"],
  *check(document) {
    const on = nodeAt(document.root, "on");
    for (const name of dangerous) {
      if (!document.events.includes(name)) continue;
      const at = pairAt(on, name)?.key.start ?? on?.start ?? document.root.start;
      const instead = name === "workflow_run" ? "workflow_call" : "pull_request";
      yield {
        at,
        message: `"${name}" runs with secrets and write access on what strangers send. Use "${instead}" unless it must`,
      };
    }
  },
};

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
        const actors = [
          "github.actor",
          "github.triggering_actor",
          "github.event.sender.login",
          "github.event.pull_request.sender.login",
        ];
        if (path === undefined || value === undefined || !actors.includes(path) || !value.endsWith("[bot]")) continue;
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

export const cachePoisoning: Rule = {
  name: "cache-poisoning",
  summary: "What is released may contain what an earlier run put into the cache",
  severity: "warning",
  kinds: ["workflow"],
  *check(document) {
    if (!releases(document)) return;
    for (const step of document.steps) {
      const uses = parseUses(step.uses ?? "");
      if (uses?.kind !== "repository" || !restoresCache(uses.slug, step)) continue;
      yield {
        at: nodeAt(step.node, "uses")?.start ?? step.node.start,
        message: `"${step.uses ?? ""}" restores a cache into what is released. Build releases without one`,
      };
    }
  },
};

function releases(document: LintDocument): boolean {
  const tags = nodeAt(document.root, "on", "push", "tags");
  const branches = textsOf(nodeAt(document.root, "on", "push", "branches"));
  if (document.events.includes("release") || tags !== undefined || branches.some((name) => name.startsWith("release")))
    return true;
  return document.steps.some((step) => {
    const uses = parseUses(step.uses ?? "");
    if (uses?.kind !== "repository" || !publishingActions.has(uses.slug)) return false;
    return uses.slug !== "docker/build-push-action" || textAt(step.node, "with", "push") === "true";
  });
}

function restoresCache(slug: string, step: LintStep): boolean {
  const known = cachingActions[slug];
  if (known === undefined) return false;
  if (known.optIn !== undefined) {
    const value = textAt(step.node, "with", known.optIn);
    return value !== undefined && value !== "" && value !== "false" && !value.includes("${{");
  }
  if (known.optOut === undefined) return true;
  const value = textAt(step.node, "with", known.optOut[0]);
  return value !== known.optOut[1] && value?.includes("${{") !== true;
}

export const concurrencyLimits: Rule = {
  name: "concurrency-limits",
  summary: "Runs that a newer one makes needless go on",
  severity: "note",
  kinds: ["workflow"],
  pedantic: true,
  *check(document) {
    if (document.events.length === 1 && document.events[0] === "workflow_call") return;
    if (nodeAt(document.root, "concurrency") !== undefined) return;
    const on = pairAt(document.root, "on");
    const job = document.jobs.find((found) => nodeAt(found.node, "concurrency") === undefined);
    if (job !== undefined)
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
      const labels = textsOf(node?.kind === "mapping" ? nodeAt(node, "labels") : node);
      if (node === undefined || !labels.includes("self-hosted")) continue;
      yield {
        at: node.start,
        message: `Job "${job.key}" runs on a machine that outlives it. Use ephemeral runners where strangers can start it`,
      };
    }
  },
};
