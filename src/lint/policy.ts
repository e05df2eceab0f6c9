/**
 * What a repository makes of findings: `.tidegate/lint.yml`.
 *
 *   block: error              # refuse pushes with findings this bad; warning, note, or never (the default)
 *   pedantic: false
 *   rules:
 *     unpinned-uses:
 *       severity: error       # or warning, note, off
 *       allow: ["actions/*"]
 *     forbidden-uses:
 *       deny: ["evil/*"]
 *     template-injection:
 *       ignore: ["release.yml", "ci.yml:12"]
 */
import type { Checked, Location, Problem } from "#lib";
import { readYamlTree, type Position, type YamlNode, type YamlPair } from "#workflows";
import { isRuleName } from "./all-rules.ts";
import type { Silence } from "./config/actionlint.ts";
import type { RuleSettings, Severity } from "./finding.ts";
import { nodeAt, pairsOf, textOf, textsOf } from "./tree.ts";

export const policyPath = ".tidegate/lint.yml";

type BlockLevel = Severity | "never";

export interface RulePolicy extends RuleSettings {
  readonly severity?: Severity | "off";
  /** File names, paths, or either with `:line` or `:line:column`. */
  readonly ignore: readonly string[];
}

export interface LintPolicy {
  readonly block: BlockLevel;
  readonly pedantic: boolean;
  readonly rules: ReadonlyMap<string, RulePolicy>;
  /** By the words of the finding, in some files. */
  readonly silences: readonly Silence[];
}

export const defaultPolicy: LintPolicy = { block: "never", pedantic: false, rules: new Map(), silences: [] };

const severities = ["error", "warning", "note"] as const;

/** The value is there whenever the file is a mapping; what is wrong in it counts as not written. */
export function readPolicy(file: string, text: string): Checked<LintPolicy> {
  const tree = readYamlTree(file, text);
  if (tree.value === undefined) return { problems: tree.problems };
  const root = tree.value;
  if (root.kind !== "mapping") {
    if (root.kind === "scalar" && root.value === null) return { value: defaultPolicy, problems: [] };
    return { problems: [{ path: "", message: "Not a policy. Write block: and rules:", at: place(file, root.start) }] };
  }
  const problems: Problem[] = [];
  const refuse = (at: Position, path: string, message: string): void => {
    problems.push({ path, message, at: place(file, at) });
  };
  unknownKeys(root, ["block", "pedantic", "rules"], "", refuse);
  const block = oneOf(nodeAt(root, "block"), [...severities, "never"], "block", refuse) ?? "never";
  const pedantic = oneOf(nodeAt(root, "pedantic"), ["true", "false"], "pedantic", refuse) === "true";
  const rules = pairsOf(nodeAt(root, "rules")).map((pair) => [pair.key.value, readRule(pair, refuse)] as const);
  return { value: { block, pedantic, rules: new Map(rules), silences: [] }, problems };
}

type Refuse = (at: Position, path: string, message: string) => void;

function readRule(pair: YamlPair, refuse: Refuse): RulePolicy {
  const path = `rules.${pair.key.value}`;
  if (!isRuleName(pair.key.value)) refuse(pair.key.start, path, "No such rule. `tidegate lint --rules` lists them");
  unknownKeys(pair.value, ["severity", "allow", "deny", "ignore"], `${path}.`, refuse);
  const severity = oneOf(nodeAt(pair.value, "severity"), [...severities, "off"], `${path}.severity`, refuse);
  return {
    ...(severity === undefined ? {} : { severity }),
    allow: textsOf(nodeAt(pair.value, "allow")),
    deny: textsOf(nodeAt(pair.value, "deny")),
    ignore: textsOf(nodeAt(pair.value, "ignore")),
  };
}

function unknownKeys(node: YamlNode, known: readonly string[], prefix: string, refuse: Refuse): void {
  for (const pair of pairsOf(node)) {
    if (known.includes(pair.key.value)) continue;
    refuse(pair.key.start, `${prefix}${pair.key.value}`, `Unknown key. Use ${known.join(", ")}`);
  }
}

function oneOf<T extends string>(
  node: YamlNode | undefined,
  values: readonly T[],
  path: string,
  refuse: Refuse,
): T | undefined {
  const text = textOf(node);
  if (node === undefined) return undefined;
  const found = values.find((value) => value === text);
  if (found === undefined) refuse(node.start, path, `Must be one of ${values.join(", ")}, not "${text ?? ""}"`);
  return found;
}

function place(file: string, at: Position): Location {
  return { file, line: at.line, column: at.column };
}
