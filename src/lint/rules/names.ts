/** Names that a runner takes as they are, and then does something else than was meant. */
import { canonicalJson, type Json } from "#lib";
import type { YamlNode, YamlPair } from "#workflows";
import { globPattern } from "../config/glob.ts";
import type { LintJob } from "../document.ts";
import type { Found, Rule } from "../finding.ts";
import { itemsOf, nodeAt, pairsOf, textOf, textsOf } from "../tree.ts";

export const envVar: Rule = {
  name: "env-var",
  summary: "A name that no shell takes as a variable",
  severity: "warning",
  kinds: ["workflow", "action"],
  *check(document) {
    const owners = [document.root, ...document.jobs.map((job) => job.node), ...document.steps.map((step) => step.node)];
    for (const pair of owners.flatMap((owner) => pairsOf(nodeAt(owner, "env")))) {
      if (pair.key.value.includes("${{") || !/[&=\s]/.test(pair.key.value)) continue;
      yield {
        at: pair.key.start,
        message: `"${pair.key.value}" cannot be the name of a variable. Use letters, digits and _`,
      };
    }
  },
};

const shells = ["bash", "sh", "pwsh", "powershell", "python", "cmd"];

export const shellName: Rule = {
  name: "shell-name",
  summary: "A shell that a runner does not know, or that its system does not have",
  severity: "error",
  kinds: ["workflow", "action"],
  *check(document) {
    const owners = [
      { owner: nodeAt(document.root, "defaults", "run"), job: undefined },
      ...document.jobs.map((job) => ({ owner: nodeAt(job.node, "defaults", "run"), job })),
      ...document.steps.map((step) => ({ owner: step.node, job: step.job })),
    ];
    for (const { owner, job } of owners) {
      const node = nodeAt(owner, "shell");
      const text = textOf(node);
      if (node === undefined || text === undefined || text.includes("${{") || text.includes("{0}")) continue;
      const system = textsOf(nodeAt(job?.node, "runs-on"))
        .map(systemOf)
        .find((found) => found !== undefined);
      const missing = system === "windows" ? ["sh"] : system === undefined ? [] : ["cmd", "powershell"];
      if (missing.includes(text.toLowerCase())) {
        const message = `There is no "${text}" on ${system}. Use ${system === "windows" ? "bash or pwsh" : "bash, sh or pwsh"}`;
        yield { at: node.start, severity: "warning", message };
      }
      if (shells.includes(text.toLowerCase())) continue;
      yield {
        at: node.start,
        message: `"${text}" is no shell. Use one of ${shells.join(", ")}, or a command with {0} for the script's file`,
      };
    }
  },
};

export const misfeature: Rule = {
  name: "misfeature",
  summary: "Allowed, and regretted by those who made it",
  severity: "note",
  kinds: ["workflow", "action"],
  *check(document) {
    const defaults = [document.root, ...document.jobs.map((job) => job.node)].map((owner) =>
      nodeAt(owner, "defaults", "run"),
    );
    for (const owner of [...defaults, ...document.steps.map((step) => step.node)]) yield* unreadableShell(owner);
    for (const step of document.steps) {
      const install = nodeAt(step.node, "with", "pip-install");
      if (install !== undefined && step.uses?.toLowerCase().startsWith("actions/setup-python") === true) {
        yield {
          at: install.start,
          message: `"pip-install" installs into the whole machine. Install from a lock file into a virtual environment`,
        };
      }
    }
  },
};

function* unreadableShell(owner: YamlNode | undefined): Iterable<Found> {
  const shell = nodeAt(owner, "shell");
  const text = textOf(shell);
  if (shell === undefined || text === undefined || text.includes("${{")) return;
  const program = (text.split(" ")[0] ?? "").replace(/^.*[/\\]/, "").replace(/\.exe$/, "");
  if (program === "cmd")
    yield { at: shell.start, message: `What "cmd" makes of a script cannot be checked. Use pwsh or bash` };
  else if (!shells.includes(program))
    yield { at: shell.start, pedantic: true, message: `What "${program}" makes of a script cannot be checked` };
}

export const anonymousDefinition: Rule = {
  name: "anonymous-definition",
  summary: "A workflow, job or action without a name",
  severity: "note",
  kinds: ["workflow", "action"],
  pedantic: true,
  *check(document) {
    if (nodeAt(document.root, "name") === undefined)
      yield { at: document.root.start, about: document.root, message: `Give it a "name" that people see in lists` };
    for (const job of document.jobs) {
      if (nodeAt(job.node, "name") !== undefined || nodeAt(job.node, "uses") !== undefined) continue;
      yield { at: job.at, about: job.node, message: `Give job "${job.key}" a "name" that people see in lists` };
    }
  },
};

export const matrixValues: Rule = {
  name: "matrix",
  summary: "A matrix that does the same twice, or excludes what is not in it",
  severity: "warning",
  kinds: ["workflow"],
  *check(document) {
    for (const job of document.jobs) {
      const matrix = nodeAt(job.node, "strategy", "matrix");
      const vectors = pairsOf(matrix).filter((pair) => !["include", "exclude"].includes(pair.key.value));
      for (const vector of vectors) yield* duplicates(vector);
      // An expression, or an `include`, may bring any key.
      if (vectors.some((vector) => vector.value.kind !== "sequence")) continue;
      for (const item of itemsOf(nodeAt(matrix, "exclude"))) {
        for (const pair of pairsOf(item)) yield* unknownExclusion(pair, vectors);
      }
    }
  },
};

function* duplicates(vector: YamlPair): Iterable<Found> {
  const seen = new Set<string>();
  for (const item of itemsOf(vector.value)) {
    const text = valueText(item);
    if (seen.has(text))
      yield { at: item.start, message: `"${vector.key.value}" has this value twice, and so each job too` };
    seen.add(text);
  }
}

function* unknownExclusion(pair: YamlPair, vectors: readonly YamlPair[]): Iterable<Found> {
  const vector = vectors.find((found) => found.key.value === pair.key.value);
  // A key that the matrix has not keeps the file from running: the reading of it says so.
  if (vector === undefined || itemsOf(vector.value).some((item) => isPartOf(pair.value, item))) return;
  yield { at: pair.value.start, message: `"${pair.key.value}" never has this value, so this excludes nothing` };
}

/** As a matrix excludes: an object by the fields that are named, a list item by item. An expression may be anything. */
function isPartOf(part: YamlNode, whole: YamlNode): boolean {
  if ([part, whole].some((node) => node.kind === "scalar" && valueText(node).includes("${{"))) return true;
  if (part.kind === "mapping" && whole.kind === "mapping") {
    return part.pairs.every(({ key, value }) => {
      const other = nodeAt(whole, key.value);
      return other !== undefined && isPartOf(value, other);
    });
  }
  if (part.kind === "sequence" && whole.kind === "sequence") {
    const others = whole.items;
    return part.items.length === others.length && part.items.every((item, at) => isPartOf(item, others[at] ?? whole));
  }
  return part.kind === whole.kind && valueText(part) === valueText(whole);
}

function valueText(node: YamlNode): string {
  return canonicalJson(plain(node));
}

function plain(node: YamlNode): Json {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "sequence") return node.items.map(plain);
  return Object.fromEntries(node.pairs.map((pair) => [pair.key.value, plain(pair.value)]));
}

export const glob: Rule = {
  name: "glob",
  summary: "A filter that never matches",
  severity: "error",
  kinds: ["workflow"],
  *check(document) {
    for (const event of pairsOf(nodeAt(document.root, "on"))) {
      for (const filter of pairsOf(event.value)) {
        const isRef = /^(?:branches|tags)(?:-ignore)?$/.test(filter.key.value);
        if (!isRef && !/^paths(?:-ignore)?$/.test(filter.key.value)) continue;
        const nodes = filter.value.kind === "sequence" ? filter.value.items : [filter.value];
        for (const node of nodes) {
          const wrong = patternProblem(textOf(node) ?? "", isRef);
          if (wrong !== undefined) yield { at: node.start, message: `Pattern "${textOf(node) ?? ""}" ${wrong}` };
        }
      }
    }
  },
};

function patternProblem(pattern: string, isRef: boolean): string | undefined {
  const text = pattern.replace(/^!/, "");
  if (text === "") return `is empty. Name a ${isRef ? "branch or tag" : "path"}`;
  if (text.length > 1000) return "is longer than any name";
  if (text !== text.trim()) return "begins or ends with a blank. Leave it out";
  const range = [...text.matchAll(/\[[^\]]*?(.)-(.)[^\]]*\]/g)].find(([, from = "", to = ""]) => from > to);
  if (range !== undefined) return `has a range that ends before it begins: "${range[1]}-${range[2]}"`;
  if (/[*?+][?+]/.test(text)) return "repeats what repeats already. Leave one of the two out";
  if (!isRef && (text === "." || text === "..")) return "is the repository itself. Name a path in it";
  if (/[^\\]?\[[^\]]*$/.test(text)) return "has a [ that is not closed";
  if (/\[\]/.test(text)) return "has an empty []";
  if (/^[?+]/.test(text)) return `starts with "${text[0]}", which needs a character before it`;
  if (isRef && /^refs\/(?:heads|tags)\//.test(text)) return "has the whole ref. Write the name alone";
  if (isRef && /\\[^[\]?+*\\!]/.test(text))
    return "has a backslash that escapes nothing. Only [ ? + * \\ ! can be escaped";
  if (isRef && (/[ ~^:]/.test(text) || text.startsWith("/") || text.endsWith("/") || text.includes("//")))
    return "is no name that git takes";
  if (!isRef && /^\.{0,2}\//.test(text)) return "starts outside of the repository. Paths are without a leading ./ or /";
  return undefined;
}

function matches(glob: string, label: string): boolean {
  try {
    return globPattern(glob).test(label);
  } catch {
    return glob === label;
  }
}

/** Those of GitHub's machines that are served, with their sizes. */
const hosted =
  /^(?:ubuntu-(?:latest|slim|22\.04|24\.04|26\.04)(?:-arm)?|windows-(?:latest|2022|2025|2025-vs2026|11-arm)|macos-(?:latest|14|15|26)(?:-large|-xlarge|-intel)?)(?:-\d+-cores)?$/i;
const own: ReadonlySet<string> = new Set("self-hosted linux windows macos x64 x86 arm arm64".split(" "));

export const runnerLabel: Rule = {
  name: "runner-label",
  summary: "A label that no usual runner has, or two that no machine has together",
  severity: "note",
  kinds: ["workflow"],
  *check(document, settings) {
    for (const job of document.jobs) {
      const node = nodeAt(job.node, "runs-on");
      const owner = node?.kind === "mapping" ? nodeAt(node, "labels") : node;
      const labels = textsOf(owner);
      const places = labels.map((label, at) => ({ label, at: itemsOf(owner)[at]?.start ?? owner?.start ?? job.at }));
      yield* conflicts(places);
      if (labels.includes("self-hosted") || nodeAt(node, "group") !== undefined) continue;
      for (const { label, at } of [...places, ...fromMatrix(job, labels)]) {
        const known = hosted.test(label) || own.has(label.toLowerCase());
        if (known || label.includes("${{") || settings.allow.some((glob) => matches(glob, label))) continue;
        yield { at, message: `No usual runner has the label "${label}". Allow it in the policy if one of yours does` };
      }
    }
  },
};

interface PlacedLabel {
  readonly label: string;
  readonly at: Found["at"];
}

/** `runs-on` is one machine, which has all labels: systems exclude each other. */
function* conflicts(labels: readonly PlacedLabel[]): Iterable<Found> {
  const systems = labels.flatMap((placed) => {
    const system = systemOf(placed.label);
    return system === undefined ? [] : [{ ...placed, system }];
  });
  const [first] = systems;
  for (const { label, at, system } of systems) {
    if (first === undefined || system === first.system) continue;
    const message = `No machine has "${label}" and "${first.label}". Use a matrix to run on both`;
    yield { at, severity: "warning", message };
  }
}

type System = "linux" | "windows" | "macos";

function systemOf(label: string): System | undefined {
  const name = label.toLowerCase();
  if (/^(?:ubuntu-.*|linux)$/.test(name)) return "linux";
  if (/^windows(?:-.*)?$/.test(name)) return "windows";
  return /^macos(?:-.*)?$/.test(name) ? "macos" : undefined;
}

function fromMatrix(job: LintJob, labels: readonly string[]): readonly PlacedLabel[] {
  const keys = labels.flatMap((label) => /^\$\{\{\s*matrix\.([\w-]+)\s*\}\}$/.exec(label)?.[1] ?? []);
  return keys.flatMap((key) =>
    itemsOf(nodeAt(job.node, "strategy", "matrix", key)).flatMap((item) =>
      item.kind === "scalar" ? [{ label: textOf(item) ?? "", at: item.start }] : [],
    ),
  );
}
