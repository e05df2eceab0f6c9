/** Where secrets go: into files, logs, whole objects, other workflows. */
import { calls, expressionsIn, readsOf, type PlacedExpression } from "../expressions.ts";
import type { LintDocument } from "../document.ts";
import type { Rule } from "../finding.ts";
import { nodeAt, pairAt, pairsOf, scalarsOf, textAt, textOf } from "../tree.ts";
import { parseUses } from "../uses.ts";

function expressionsOf(document: LintDocument): readonly PlacedExpression[] {
  return [...scalarsOf(document.root)].flatMap((node) => expressionsIn(document, node));
}

export const artipacked: Rule = {
  name: "artipacked",
  summary: "A checkout leaves its credential on disk for every later step",
  severity: "warning",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const step of document.steps) {
      const uses = parseUses(step.uses ?? "");
      if (uses?.kind !== "repository" || uses.slug !== "actions/checkout") continue;
      if (uses.path !== "" || nodeAt(step.node, "with")?.kind === "scalar") continue;
      const kept = nodeAt(step.node, "with", "persist-credentials");
      if (textOf(kept) === "false") continue;
      if (kept !== undefined) {
        const message = `The token stays on disk after this step, as it says. Leave it out where no later step pushes`;
        yield { at: kept.start, message, severity: "note", pedantic: true };
        continue;
      }
      // From version 6 on it lies in the temporary folder, which no careless upload of the workspace takes along.
      const outside = Number(/^v(\d+)/.exec(uses.ref ?? "")?.[1] ?? 0) >= 6;
      const uploads = document.steps.some(
        (other) => other.job === step.job && isWholeUpload(other.uses, textAt(other.node, "with", "path")),
      );
      const at = nodeAt(step.node, "uses")?.start ?? step.node.start;
      const message = `The token stays on disk after this step. Set "persist-credentials: false", or true if a later step pushes`;
      if (uploads && !outside)
        yield { at, severity: "error", message: `${message}; a later step uploads the folder it is in` };
      else yield { at, message, severity: outside ? "note" : "warning", pedantic: outside };
    }
  },
};

function isWholeUpload(uses: string | undefined, path: string | undefined): boolean {
  if (uses?.toLowerCase().startsWith("actions/upload-artifact") !== true) return false;
  return (path ?? "")
    .split("\n")
    .some((line) => /^(?:\.\/?|\*\*?|\$\{\{\s*github\.workspace\s*\}\}\/?|\.git\/?.*)$/.test(line.trim()));
}

export const hardcodedCredentials: Rule = {
  name: "hardcoded-container-credentials",
  summary: "A registry's password stands in the file",
  severity: "error",
  kinds: ["workflow"],
  *check(document) {
    for (const job of document.jobs) {
      const owners = [
        nodeAt(job.node, "container"),
        ...pairsOf(nodeAt(job.node, "services")).map((pair) => pair.value),
      ];
      for (const owner of owners) {
        const password = nodeAt(owner, "credentials", "password");
        const text = textOf(password);
        if (password === undefined || text === undefined || text.includes("${{")) continue;
        yield {
          at: password.start,
          message: `A password stands in the file. Keep it as a secret and write \${{ secrets.NAME }}`,
        };
      }
    }
  },
};

export const overprovisionedSecrets: Rule = {
  name: "overprovisioned-secrets",
  summary: "All secrets at once where one is needed",
  severity: "error",
  kinds: ["workflow"],
  *check(document) {
    for (const { at, source, tree } of expressionsOf(document)) {
      if (tree === undefined) continue;
      const reads = readsOf(tree);
      if (reads.includes("secrets"))
        yield { at, message: `"${source}" gives away every secret. Name the one that is needed` };
      else if (reads.includes("secrets.*"))
        yield { at, severity: "warning", message: `"${source}" may be any secret. Name the one that is needed` };
    }
  },
};

export const unredactedSecrets: Rule = {
  name: "unredacted-secrets",
  summary: "A part of a secret, which is not masked in logs",
  severity: "warning",
  kinds: ["workflow"],
  *check(document) {
    for (const { at, source, tree } of expressionsOf(document)) {
      if (tree === undefined) continue;
      for (const call of calls(tree, "fromJSON")) {
        const secret = call.args.flatMap((arg) => readsOf(arg)).find((path) => path.startsWith("secrets."));
        if (secret === undefined) continue;
        yield {
          at,
          message: `"${source}" takes a part out of "${secret}", and only the whole is masked in logs. Keep it as a secret of its own`,
        };
      }
    }
  },
};

export const secretsInLogs: Rule = {
  name: "secrets-in-logs",
  summary: "A secret is printed, or written into a script that is kept on disk",
  severity: "warning",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const step of document.steps) {
      const node = nodeAt(step.node, "run");
      for (const { at, source, tree } of expressionsIn(document, node)) {
        const secret =
          tree === undefined
            ? undefined
            : readsOf(tree, true).find(
                (path) => path === "secrets" || path.startsWith("secrets.") || path === "github.token",
              );
        if (secret === undefined) continue;
        const line = document.lines[at.line - 1] ?? "";
        const printed =
          /\b(?:echo|printf|cat|print|console\.log)\b/.test(line.slice(0, at.column - 1)) &&
          !/[|>]/.test(line.slice(at.column));
        if (printed)
          yield {
            at,
            severity: "error",
            message: `"${source}" is printed into the log. Masking is the last defence, not the first: do not print it`,
          };
        else yield { at, message: `"${source}" is written into the script's file. Give it to the step as "env"` };
      }
    }
  },
};

export const secretsInherit: Rule = {
  name: "secrets-inherit",
  summary: "A called workflow gets every secret",
  severity: "warning",
  kinds: ["workflow"],
  *check(document) {
    for (const job of document.jobs) {
      const pair = pairAt(job.node, "secrets");
      if (pair === undefined || textOf(pair.value) !== "inherit") continue;
      yield {
        at: pair.value.start,
        message: `"${textAt(job.node, "uses") ?? job.key}" gets every secret. Pass those it needs by name`,
      };
    }
  },
};

export const secretsOutsideEnv: Rule = {
  name: "secrets-outside-env",
  summary: "A secret that no environment's rules protect",
  severity: "note",
  kinds: ["workflow"],
  pedantic: true,
  *check(document, settings) {
    // What a caller hands over is the caller's to protect; a job that calls can name no environment.
    if (document.events.includes("workflow_call")) return;
    for (const job of document.jobs) {
      if (nodeAt(job.node, "environment") !== undefined || nodeAt(job.node, "uses") !== undefined) continue;
      for (const node of scalarsOf(job.node)) {
        for (const { at, tree } of expressionsIn(document, node)) {
          if (tree === undefined) continue;
          const name = readsOf(tree)
            .find((path) => path.startsWith("secrets.") && path !== "secrets.github_token")
            ?.slice(8);
          if (name === undefined || settings.allow.some((allowed) => allowed.toLowerCase() === name)) continue;
          yield {
            at,
            about: job.node,
            message: `Secret "${name.toUpperCase()}" is read by job "${job.key}", which names no "environment" whose rules would protect it`,
          };
        }
      }
    }
  },
};

export const githubApp: Rule = {
  name: "github-app",
  summary: "An app's token that lives longer or reaches further than needed",
  severity: "warning",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const step of document.steps) {
      const uses = parseUses(step.uses ?? "");
      if (uses?.kind !== "repository" || uses.slug !== "actions/create-github-app-token") continue;
      const inputs = nodeAt(step.node, "with");
      const at = nodeAt(step.node, "uses")?.start ?? step.node.start;
      if (inputs?.kind === "scalar") continue;
      const kept = textAt(inputs, "skip-token-revoke") ?? "false";
      if (kept === "true" || kept.includes("${{"))
        yield {
          at,
          message: `The token ${kept === "true" ? "stays" : "may stay"} valid after the job. Remove "skip-token-revoke"`,
        };
      const permissions = pairsOf(inputs).filter((pair) => pair.key.value.startsWith("permission-"));
      const ofOwner = permissions.length > 0 && permissions.every((pair) => isOrganisational(pair.key.value));
      if (textAt(inputs, "owner") !== undefined && textAt(inputs, "repositories") === undefined && !ofOwner) {
        yield { at, message: `The token reaches every repository of the owner. Name them under "repositories"` };
      }
      if (permissions.length === 0) {
        yield { at, message: `The token may do all that the app may. Name what it needs with "permission-…" inputs` };
      }
    }
  },
};

/** Permissions that reach into no repository, so that naming some changes nothing. */
function isOrganisational(name: string): boolean {
  return /^permission-(?:organization-|enterprise-|members$|custom-properties-for-organizations$)/.test(name);
}
