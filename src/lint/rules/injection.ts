/** Values that become code: `${{ }}` in scripts, and what scripts write into the environment of later steps. */
import type { YamlNode } from "#workflows";
import type { LintDocument, LintStep } from "../document.ts";
import { calls, expressionsIn, literalOf, readsOf } from "../expressions.ts";
import type { Found, Rule } from "../finding.ts";
import { nodeAt, pairsOf, scalarsOf, textAt } from "../tree.ts";
import { trustOf } from "../untrusted.ts";
import { parseUses } from "../uses.ts";

/** Inputs of actions that are run as code. */
const scriptInputs: Readonly<Record<string, readonly string[]>> = {
  "actions/github-script": ["script"],
  "azure/cli": ["inlinescript"],
  "azure/powershell": ["inlinescript"],
  "appleboy/ssh-action": ["script"],
  "nick-fields/retry": ["command"],
};

function* codeNodes(step: LintStep): Iterable<YamlNode> {
  const run = nodeAt(step.node, "run");
  if (run !== undefined) yield run;
  const uses = parseUses(step.uses ?? "");
  if (uses?.kind !== "repository") return;
  for (const pair of pairsOf(nodeAt(step.node, "with"))) {
    if (scriptInputs[uses.slug]?.includes(pair.key.value.toLowerCase()) === true) yield pair.value;
  }
}

export const templateInjection: Rule = {
  name: "template-injection",
  summary: "A value that somebody else chooses is written into a script before the shell reads it",
  severity: "error",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const step of document.steps) {
      for (const node of codeNodes(step)) yield* injections(document, node);
    }
  },
};

function* injections(document: LintDocument, node: YamlNode): Iterable<Found> {
  for (const { at, source, tree } of expressionsIn(document, node)) {
    if (tree === undefined) continue;
    const reads = readsOf(tree, true).filter((path) => !isPlainInput(document, path));
    const remedy = `Give it to the step as "env" and write it as "$NAME" in the script`;
    const anyone = reads.find((path) => trustOf(path) === "anyone");
    const member = reads.find((path) => trustOf(path) === "members");
    if (anyone !== undefined) {
      yield { at, message: `"${source}" puts "${anyone}" into the script, and anyone can choose it. ${remedy}` };
    } else if (member !== undefined) {
      const message = `"${source}" puts "${member}" into the script: whoever chooses it chooses what runs. ${remedy}`;
      yield { at, message, severity: "warning" };
    } else if (reads.some((path) => /^(?:steps|needs|env|jobs)\./.test(path))) {
      const message = `"${source}" is written into the script as it is, quotes included. ${remedy}`;
      yield { at, message, severity: "note", pedantic: true };
    }
  }
}

/** An input whose type leaves no choice of text. */
function isPlainInput(document: LintDocument, path: string): boolean {
  const name = /^(?:github\.event\.)?inputs\.(.+)$/.exec(path)?.[1];
  if (name === undefined) return false;
  const inputs = ["workflow_dispatch", "workflow_call"].flatMap((event) =>
    pairsOf(nodeAt(document.root, "on", event, "inputs")).filter((pair) => pair.key.value.toLowerCase() === name),
  );
  const plain = new Set(["boolean", "number", "choice", "environment"]);
  return inputs.length > 0 && inputs.every((pair) => plain.has(textAt(pair.value, "type") ?? "string"));
}

export const githubEnv: Rule = {
  name: "github-env",
  summary: "A workflow that strangers can start writes into the environment of its later steps",
  severity: "error",
  kinds: ["workflow"],
  *check(document) {
    const trigger = document.events.find((name) => name === "pull_request_target" || name === "workflow_run");
    if (trigger === undefined) return;
    for (const step of document.steps) {
      const written = /(?:>>?|\btee\b[^\n|]*)\s*"?\$\{?(GITHUB_ENV|GITHUB_PATH)\b/.exec(step.run ?? "");
      if (written === null) continue;
      const message = `"${written[1]}" is written in a workflow of "${trigger}": what gets into it runs in every later step. Use GITHUB_OUTPUT`;
      yield { at: nodeAt(step.node, "run")?.start ?? step.node.start, message };
    }
  },
};

export const insecureCommands: Rule = {
  name: "insecure-commands",
  summary: "ACTIONS_ALLOW_UNSECURE_COMMANDS lets everything that prints set variables and paths",
  severity: "error",
  kinds: ["workflow", "action"],
  *check(document) {
    const environments = [
      document.root,
      ...document.jobs.map((job) => job.node),
      ...document.steps.map((step) => step.node),
    ];
    for (const owner of environments) {
      for (const pair of pairsOf(nodeAt(owner, "env"))) {
        if (pair.key.value !== "ACTIONS_ALLOW_UNSECURE_COMMANDS") continue;
        if (pair.value.kind === "scalar" && String(pair.value.value) === "false") continue;
        yield { at: pair.key.start, message: `Remove "${pair.key.value}" and write to GITHUB_ENV and GITHUB_PATH` };
      }
    }
  },
};

const deprecated: Readonly<Record<string, string>> = {
  "set-output": "GITHUB_OUTPUT",
  "save-state": "GITHUB_STATE",
  "set-env": "GITHUB_ENV",
  "add-path": "GITHUB_PATH",
};

export const deprecatedCommands: Rule = {
  name: "deprecated-commands",
  summary: "A command that runners no longer promise to obey",
  severity: "warning",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const step of document.steps) {
      for (const match of (step.run ?? "").matchAll(/::(set-output|save-state|set-env|add-path)(?:\s[^:\n]*)?::/g)) {
        const file = deprecated[match[1] ?? ""];
        const message = `Command "::${match[1]}" is deprecated. Append to the file "$${file}" instead`;
        yield { at: nodeAt(step.node, "run")?.start ?? step.node.start, message };
      }
    }
  },
};

export const obfuscation: Rule = {
  name: "obfuscation",
  summary: "Written so that a reader, or another rule, does not see what it does",
  severity: "warning",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const step of document.steps) {
      const uses = step.uses ?? "";
      if (/^[^./][^@]*(?:\/\/|\/\.\.?(?:\/|@|$))/.test(uses) && !uses.includes("://")) {
        yield {
          at: nodeAt(step.node, "uses")?.start ?? step.node.start,
          message: `Write the path of "${uses}" plainly`,
        };
      }
    }
    for (const node of scalarsOf(document.root)) {
      for (const { at, source, tree } of expressionsIn(document, node)) {
        if (tree === undefined) continue;
        const constant = calls(tree, "format").some((call) => call.args.every((arg) => literalOf(arg) !== undefined));
        const around = calls(tree, "fromJSON").some(
          (call) => call.args[0] !== undefined && calls(call.args[0], "toJSON").includes(call.args[0] as never),
        );
        if (constant || around) yield { at, message: `"${source}" does nothing. Write its value` };
      }
    }
  },
};
