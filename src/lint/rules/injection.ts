/** Values that become code: `${{ }}` in scripts, and what scripts write into the environment of later steps. */
import type { YamlNode } from "#workflows";
import type { LintDocument, LintStep } from "../document.ts";
import { expressionsIn, readsOf } from "../expressions.ts";
import type { Found, Rule } from "../finding.ts";
import { nodeAt, pairsOf, scalarsOf, textAt, textOf } from "../tree.ts";
import { trustOf, type Trust } from "../untrusted.ts";
import { parseUses } from "../uses.ts";

/** Inputs of actions that are run as code, or whose templates are. */
const scriptInputs: Readonly<Record<string, readonly string[]>> = {
  "8398a7/action-slack": ["custom_payload"],
  "actions/github-script": ["script"],
  "addnab/docker-run-action": ["options", "run"],
  "amadevus/pwsh-script": ["script"],
  "appleboy/ssh-action": ["script"],
  "azure/cli": ["inlinescript"],
  "azure/powershell": ["inlinescript"],
  "cardinalby/js-eval-action": ["expression"],
  "devorbitus/yq-action-output": ["cmd"],
  "gautamkrishnar/blog-post-workflow": ["item_exec"],
  "jannekem/run-python-script-action": ["script"],
  "mikefarah/yq": ["cmd"],
  "nick-fields/retry": ["command"],
  "sergeysova/jq-action": ["cmd"],
  "skitionek/notify-microsoft-teams": ["overwrite"],
  "tibdex/backport": ["body_template", "head_template", "labels_template", "title_template"],
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
      for (const node of codeNodes(step)) {
        for (const { at, source, tree } of expressionsIn(document, node)) {
          if (tree !== undefined)
            yield { at, about: step.node, ...injection(document, step, source, readsOf(tree, true)) };
        }
      }
    }
  },
};

function injection(
  document: LintDocument,
  step: LintStep,
  source: string,
  paths: readonly string[],
): Omit<Found, "at"> {
  const reads = paths
    .filter((path) => !isPlainInput(document, path))
    .map((path) => ({ path, trust: trustIn(document, step, path) }));
  const by = (trust: Trust): string | undefined => reads.find((read) => read.trust === trust)?.path;
  const remedy = `Give it to the step as "env" and write it as "$NAME" in the script`;
  const [anyone, member, unknown] = [by("anyone"), by("members"), by("unknown")];
  if (anyone !== undefined)
    return { message: `"${source}" puts "${anyone}" into the script, and anyone can choose it. ${remedy}` };
  if (member !== undefined) {
    const message = `"${source}" puts "${member}" into the script: whoever chooses it chooses what runs. ${remedy}`;
    return { message, severity: "warning" };
  }
  if (unknown !== undefined) {
    const message = `"${source}" puts "${unknown}" into the script, which may be what others wrote. ${remedy}`;
    return { message, severity: "warning" };
  }
  const message = `"${source}" is written into the script as it is, quotes included. ${remedy}`;
  return { message, severity: "note", pedantic: true };
}

/** What `env` and `matrix` carry is as good as what the file puts into them. */
function trustIn(document: LintDocument, step: LintStep, path: string): Trust {
  const [context, name = "*"] = path.split(".");
  if (context === "env") {
    const owners = [step.node, step.job?.node, document.root];
    const value = owners
      .map((owner) => variablesOf(nodeAt(owner, "env"))?.get(name))
      .find((found) => found !== undefined);
    return worst(document, [value]);
  }
  if (context !== "matrix") return trustOf(path);
  const matrix = nodeAt(step.job?.node, "strategy", "matrix");
  const nodes = matrix?.kind === "mapping" ? matrixValues(matrix, name) : [matrix];
  // What an expression brings into a matrix was put together by a job, of whatever it saw.
  const isMade = nodes.flatMap((node) => [...scalarsOf(node)]).some((node) => String(node.value).includes("${{"));
  const trust = worst(document, nodes);
  return trust === "trusted" && isMade ? "unknown" : trust;
}

/** By their names in lower case, made once for each `env`: each of many steps asks the one above all jobs. */
const variables = new WeakMap<YamlNode, ReadonlyMap<string, YamlNode>>();

function variablesOf(env: YamlNode | undefined): ReadonlyMap<string, YamlNode> | undefined {
  if (env === undefined) return undefined;
  const known = variables.get(env) ?? new Map(pairsOf(env).map(({ key, value }) => [key.value.toLowerCase(), value]));
  variables.set(env, known);
  return known;
}

function matrixValues(matrix: YamlNode, name: string): readonly (YamlNode | undefined)[] {
  const include = nodeAt(matrix, "include");
  if (include?.kind === "scalar") return [include];
  const items = include?.kind === "sequence" ? include.items : [];
  return [matrix, ...items].flatMap((owner) =>
    owner.kind === "scalar"
      ? [owner]
      : pairsOf(owner)
          .filter((pair) => pair.key.value.toLowerCase() === name)
          .map((pair) => pair.value),
  );
}

function worst(document: LintDocument, nodes: readonly (YamlNode | undefined)[]): Trust {
  const reads = nodes
    .flatMap((node) => [...scalarsOf(node)])
    .flatMap((node) => expressionsIn(document, node))
    .flatMap(({ tree }) => (tree === undefined ? [] : readsOf(tree, true)));
  const trusts = new Set(reads.filter((path) => !isPlainInput(document, path)).map(trustOf));
  return (["anyone", "members", "unknown"] as const).find((trust) => trusts.has(trust)) ?? "trusted";
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

/** The file's name as a shell of Unix, PowerShell or cmd writes it. */
const environmentFile = /\$\{?(?:env:)?(GITHUB_ENV|GITHUB_PATH)\b|%(GITHUB_ENV|GITHUB_PATH)%/i;
const writing = /(?:>>?|\btee\b|\b(?:Out-File|Add-Content|Set-Content|Tee-Object)\b)/i;

export const githubEnv: Rule = {
  name: "github-env",
  summary: "Where strangers may start it, a step writes into the environment of later steps",
  severity: "error",
  kinds: ["workflow", "action"],
  *check(document) {
    const trigger = document.events.find((name) => name === "pull_request_target" || name === "workflow_run");
    if (trigger === undefined && document.kind === "workflow") return;
    for (const step of document.steps) {
      const name = writtenFile(step.run ?? "");
      if (name === undefined) continue;
      const at = nodeAt(step.node, "run")?.start ?? step.node.start;
      const why = "what gets into it runs in every later step. Use GITHUB_OUTPUT";
      if (trigger !== undefined) yield { at, message: `"${name}" is written in a workflow of "${trigger}": ${why}` };
      else
        yield { at, severity: "note", message: `"${name}" is written, in whatever workflow uses this action: ${why}` };
    }
  },
};

/** Undefined when nothing is written but texts that stand in the script. */
function writtenFile(script: string): string | undefined {
  for (const line of script.replaceAll(/[\\`]\r?\n/g, " ").split("\n")) {
    const at = environmentFile.exec(line);
    const to = writing.exec(line);
    if (at === null || to === null || /^\s*#/.test(line)) continue;
    const said = line.slice(0, Math.min(to.index, at.index));
    const isFixed = /^\s*(?:echo|printf)\s/.test(said) && !/[$`%]/.test(said.replaceAll(/'[^']*'/g, ""));
    if (!isFixed || said.includes("|")) return at[1] ?? at[2];
  }
  return undefined;
}

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
      const env = nodeAt(owner, "env");
      if (env?.kind === "scalar" && textOf(env)?.includes("${{") === true) {
        const message =
          "What this sets cannot be seen here, and may be ACTIONS_ALLOW_UNSECURE_COMMANDS. Name the variables";
        yield { at: env.start, severity: "note", pedantic: true, message };
      }
      for (const pair of pairsOf(env)) {
        if (pair.key.value !== "ACTIONS_ALLOW_UNSECURE_COMMANDS") continue;
        // What a runner takes for true.
        if (!/^(?:true|1|\$true|[^]*\$\{\{[^]*)$/i.test(textOf(pair.value) ?? "")) continue;
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
