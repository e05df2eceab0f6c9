/** What a workflow takes from elsewhere: actions, images, tools, and how firmly it says which. */
import type { Position, YamlNode } from "#workflows";
import { commentOn, type LintDocument } from "../document.ts";
import type { Found, Pin, PinPolicy, Rule } from "../finding.ts";
import { inputFindings } from "./calls.ts";
import { archivedActions, outdatedBelow, popularActions, superfluousActions } from "../known/known-actions.ts";
import { itemsOf, nodeAt, textAt, textOf } from "../tree.ts";
import { isCommit, matchesUses, parseUses, type Uses } from "../uses.ts";

interface PlacedUses {
  readonly text: string;
  readonly at: Position;
  readonly uses: Uses | undefined;
  readonly owner: YamlNode;
}

/** Of steps, and of jobs that call workflows. */
function usesOf(document: LintDocument): readonly PlacedUses[] {
  const owners = [...document.steps.map((step) => step.node), ...document.jobs.map((job) => job.node)];
  return owners.flatMap((owner) => {
    const node = nodeAt(owner, "uses");
    const text = textOf(node)?.trim();
    return node === undefined || text === undefined ? [] : [{ text, at: node.start, uses: parseUses(text), owner }];
  });
}

export const unpinnedUses: Rule = {
  name: "unpinned-uses",
  summary: "An action or workflow whose code can change without a commit here",
  severity: "warning",
  kinds: ["workflow", "action"],
  *check(document, settings) {
    for (const { text, at, uses } of usesOf(document)) {
      if (uses?.kind !== "repository") continue;
      if (settings.allow.some((pattern) => matchesUses(pattern, uses))) continue;
      const wanted = wantedPin(settings.pins ?? [], uses);
      if (wanted === "any") continue;
      if (uses.ref === undefined)
        yield { at, severity: "error", message: `"${text}" names no version. Add @ and a commit` };
      else if (!isCommit(uses.ref) && wanted === "hash-pin") {
        const message = `"${text}" follows "${uses.ref}", which its owner can move. Pin it to a whole commit, with the version as a comment`;
        yield { at, message };
      }
    }
  },
};

/** Of the policies that match, the one that names most of it; among patterns that end in `*`, the longest. */
function wantedPin(policies: readonly PinPolicy[], uses: Extract<Uses, { kind: "repository" }>): Pin {
  const [nearest] = policies
    .filter(({ pattern }) => matchesUses(pattern, uses))
    .toSorted((a, b) => nearness(b.pattern) - nearness(a.pattern));
  return nearest?.pin ?? "hash-pin";
}

function nearness(pattern: string): number {
  return pattern.endsWith("*") ? pattern.length : 10_000 + pattern.length;
}

export const refVersionMismatch: Rule = {
  name: "ref-version-mismatch",
  summary: "A pinned commit without the version it stands for",
  severity: "note",
  kinds: ["workflow", "action"],
  pedantic: true,
  *check(document) {
    for (const { text, at, uses } of usesOf(document)) {
      if (uses?.kind !== "repository" || uses.ref === undefined || !isCommit(uses.ref)) continue;
      const comment = commentOn(document, at.line);
      if (comment !== undefined && /\bv?\d+(?:\.\d+)*/.test(comment)) continue;
      yield {
        at,
        message: `"${text}" is pinned to a commit that says nothing to a reader. Add its version as a comment`,
      };
    }
  },
};

/** Actions that fetch the newest version of a tool unless told which. */
const toolActions: ReadonlySet<string> = new Set([
  "aquasecurity/setup-trivy",
  "1password/load-secrets-action",
  "azure/setup-helm",
  "azure/setup-kubectl",
]);

export const unpinnedTools: Rule = {
  name: "unpinned-tools",
  summary: "An action that fetches whatever version of a tool is newest",
  severity: "warning",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const { text, at, uses, owner } of usesOf(document)) {
      if (uses?.kind !== "repository" || !toolActions.has(uses.slug)) continue;
      const version = textAt(owner, "with", "version");
      if (version?.includes("${{") === true) {
        yield { at, severity: "note", message: `"${text}" fetches the tool that an expression names. Say which` };
      }
      if (version !== undefined && version !== "latest") continue;
      yield { at, message: `"${text}" fetches the newest tool. Say which under "with", "version"` };
    }
  },
};

function byName(
  name: string,
  summary: string,
  severity: Rule["severity"],
  known: Readonly<Record<string, string>>,
  say: (text: string, instead: string) => string,
  pedantic = false,
): Rule {
  return {
    name,
    summary,
    severity,
    kinds: ["workflow", "action"],
    ...(pedantic ? { pedantic } : {}),
    *check(document): Iterable<Found> {
      for (const { text, at, uses } of usesOf(document)) {
        const instead = uses?.kind === "repository" ? known[uses.slug] : undefined;
        if (instead !== undefined) yield { at, message: say(text, instead) };
      }
    },
  };
}

const archivedActionUses = byName(
  "archived-uses",
  "An action that nobody mends any more",
  "warning",
  archivedActions,
  (text, instead) => `"${text}" was archived by its owner. Use ${instead}`,
);

export const archivedUses: Rule = {
  ...archivedActionUses,
  kinds: [...archivedActionUses.kinds, "pre-commit"],
  *check(document, settings) {
    yield* archivedActionUses.check(document, settings);
    for (const item of document.kind === "pre-commit" ? itemsOf(nodeAt(document.root, "repos")) : []) {
      const node = nodeAt(item, "repo");
      const slug = /^https?:\/\/github\.com\/([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/
        .exec(textOf(node) ?? "")?.[1]
        ?.toLowerCase();
      const instead = archivedActions[slug ?? ""];
      if (node !== undefined && instead !== undefined)
        yield { at: node.start, message: `"${textOf(node) ?? ""}" was archived by its owner. Use ${instead}` };
    }
  },
};

export const selfRepository: Rule = {
  name: "self-repository",
  summary: "A path in the workspace, where the repository's own is meant",
  severity: "note",
  kinds: ["workflow", "action"],
  pedantic: true,
  *check(document) {
    for (const { text, at, uses } of usesOf(document)) {
      if (uses?.kind !== "local" || uses.path.startsWith("$/")) continue;
      yield { at, message: `"${text}" is whatever a job has put there. Write "$/${text.replace(/^\.\//, "")}"` };
    }
  },
};

export const superfluous = byName(
  "superfluous-actions",
  "An action for what one command does",
  "note",
  superfluousActions,
  (text, instead) => `"${text}" is code of others for what ${instead} does`,
  true,
);

export const forbiddenUses: Rule = {
  name: "forbidden-uses",
  summary: "An action that the repository's policy does not allow",
  severity: "error",
  kinds: ["workflow", "action"],
  *check(document, settings) {
    if (settings.allow.length === 0 && settings.deny.length === 0) return;
    for (const { text, at, uses } of usesOf(document)) {
      if (uses?.kind !== "repository") continue;
      const allowed = settings.allow.length === 0 || settings.allow.some((pattern) => matchesUses(pattern, uses));
      const denied = settings.deny.some((pattern) => matchesUses(pattern, uses));
      if (!allowed || denied) yield { at, message: `"${text}" is not allowed by this repository's policy` };
    }
  },
};

export const typosquatUses: Rule = {
  name: "typosquat-uses",
  summary: "An action whose name is one letter away from a well-known one of another owner",
  severity: "error",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const { text, at, uses } of usesOf(document)) {
      if (uses?.kind !== "repository" || popularActions.includes(uses.slug)) continue;
      const meant = popularActions.find(
        (name) => name.split("/")[0] !== uses.owner.toLowerCase() && isOneEdit(name, uses.slug),
      );
      if (meant !== undefined)
        yield { at, message: `"${text}" is one letter away from "${meant}". Write that if it is meant` };
    }
  },
};

/** One letter left out, doubled, changed or swapped with its neighbour. */
function isOneEdit(a: string, b: string): boolean {
  if (a === b || Math.abs(a.length - b.length) > 1) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i += 1;
  const restA = a.slice(i);
  const restB = b.slice(i);
  if (restA.slice(1) === restB || restA === restB.slice(1) || restA.slice(1) === restB.slice(1)) return true;
  return restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2);
}

export const actionFormat: Rule = {
  name: "action",
  summary: "A `uses` that names nothing or an old version, or gives what the action does not take",
  severity: "error",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const { text, at, uses } of usesOf(document)) {
      if (uses === undefined) {
        // The reading of the file says that no expression goes here.
        if (text.includes("${{")) continue;
        yield { at, message: `"${text}" is no action. Write owner/repo@ref, ./path or docker://image` };
        continue;
      }
      if (uses.kind !== "repository") continue;
      const oldest = outdatedBelow[uses.slug];
      const major = /^v(\d+)(?:\.\d+)*$/.exec(uses.ref ?? "")?.[1];
      if (oldest !== undefined && major !== undefined && Number(major) < oldest) {
        yield {
          at,
          severity: "warning",
          message: `"${text}" is for a Node.js that is no longer served. Use v${oldest} or newer`,
        };
      }
    }
    yield* inputFindings(document);
  },
};
