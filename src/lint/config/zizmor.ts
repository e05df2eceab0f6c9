/**
 * What a repository told `zizmor`: `.github/zizmor.yml`. Its words are taken as they are, so that a team keeps one file:
 *
 *   rules:
 *     template-injection:
 *       disable: true
 *       ignore: [release.yml, "ci.yml:12", "ci.yml:12:3"]
 *       remap: { severity: high }
 *     forbidden-uses: { config: { deny: ["evil/*"] } }
 *     unpinned-uses: { config: { policies: { "actions/*": ref-pin } } }
 *     dependabot-cooldown: { config: { days: 4 } }
 *     secrets-outside-env: { config: { allow: [NPM_TOKEN] } }
 */
import type { Checked, Problem } from "#lib";
import { readYamlTree, type YamlNode, type YamlPair } from "#workflows";
import type { Pin, PinPolicy, Severity } from "../finding.ts";
import type { RulePolicy } from "../policy.ts";
import { nodeAt, pairsOf, textAt, textOf, textsOf } from "../tree.ts";

/** The first that is there counts, as for `zizmor`. */
export const zizmorPaths = [".github/zizmor.yml", ".github/zizmor.yaml", "zizmor.yml", "zizmor.yaml"] as const;

const severities: Readonly<Record<string, Severity>> = {
  informational: "note",
  low: "note",
  medium: "warning",
  high: "error",
};
const pins: readonly Pin[] = ["any", "ref-pin", "hash-pin"];

/** Rules that only `zizmor` has are read and change nothing. */
export function readZizmorConfig(file: string, text: string): Checked<ReadonlyMap<string, RulePolicy>> {
  const tree = readYamlTree(file, text);
  if (tree.value === undefined) return { problems: tree.problems };
  const problems: Problem[] = [];
  const refuse = (node: YamlNode, path: string, message: string): void => {
    problems.push({ path, message, at: { file, line: node.start.line, column: node.start.column } });
  };
  const rules = pairsOf(nodeAt(tree.value, "rules")).map((pair) => [pair.key.value, readRule(pair, refuse)] as const);
  return { value: new Map(rules), problems };
}

type Refuse = (node: YamlNode, path: string, message: string) => void;

function readRule(pair: YamlPair, refuse: Refuse): RulePolicy {
  const path = `rules.${pair.key.value}`;
  const remap = nodeAt(pair.value, "remap", "severity");
  const remapped = severities[textOf(remap) ?? ""];
  if (remap !== undefined && remapped === undefined) {
    refuse(remap, `${path}.remap.severity`, `Must be one of ${Object.keys(severities).join(", ")}`);
  }
  const severity = textAt(pair.value, "disable") === "true" ? "off" : remapped;
  const days = nodeAt(pair.value, "config", "days");
  if (days !== undefined && !/^[1-9]\d{0,3}$/.test(textOf(days) ?? "")) {
    refuse(days, `${path}.config.days`, "Must be a number of days from 1");
  }
  const pinned = pairsOf(nodeAt(pair.value, "config", "policies")).map((policy) => readPin(policy, path, refuse));
  return {
    ...(severity === undefined ? {} : { severity }),
    ...(days === undefined ? {} : { days: Number(textOf(days)) || 1 }),
    ...(pinned.length === 0 ? {} : { pins: pinned }),
    allow: textsOf(nodeAt(pair.value, "config", "allow")),
    deny: textsOf(nodeAt(pair.value, "config", "deny")),
    ignore: textsOf(nodeAt(pair.value, "ignore")),
  };
}

function readPin(pair: YamlPair, path: string, refuse: Refuse): PinPolicy {
  const found = pins.find((pin) => pin === textOf(pair.value));
  if (found === undefined) refuse(pair.value, `${path}.config.policies`, `Must be one of ${pins.join(", ")}`);
  return { pattern: pair.key.value, pin: found ?? "hash-pin" };
}
