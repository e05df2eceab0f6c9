/** The files in which a repository says what it makes of findings, as one policy. Pure. */
import type { Checked, Problem } from "#lib";
import { actionlintPaths, readActionlintConfig, type ActionlintConfig } from "./config/actionlint.ts";
import { readZizmorConfig, zizmorPaths } from "./config/zizmor.ts";
import { defaultPolicy, policyPath, readPolicy, type LintPolicy, type RulePolicy } from "./policy.ts";

/** Where a repository may say it; our own file has the last word. */
export const policyPaths: readonly string[] = [policyPath, ...zizmorPaths, ...actionlintPaths];

/** `files` has those of `policyPaths` that are there. What is wrong in one counts as not written. */
export function readPolicies(files: ReadonlyMap<string, string>): Checked<LintPolicy> & { readonly value: LintPolicy } {
  const problems: Problem[] = [];
  const read = <T>(paths: readonly string[], reader: (file: string, text: string) => Checked<T>): T | undefined => {
    for (const path of paths) {
      const text = files.get(path);
      if (text === undefined) continue;
      const checked = reader(path, text);
      problems.push(...checked.problems);
      return checked.value;
    }
    return undefined;
  };
  const own = read([policyPath], readPolicy) ?? defaultPolicy;
  const zizmor = read(zizmorPaths, readZizmorConfig) ?? new Map<string, RulePolicy>();
  const actionlint = read(actionlintPaths, readActionlintConfig);
  const layers = [own.rules, zizmor, actionlintRules(actionlint)];
  const names = new Set(layers.flatMap((layer) => [...layer.keys()]));
  const rules = [...names].map((name) => [name, together(layers.flatMap((layer) => layer.get(name) ?? []))] as const);
  return { value: { ...own, rules: new Map(rules), silences: actionlint?.silences ?? [] }, problems };
}

function actionlintRules(config: ActionlintConfig | undefined): ReadonlyMap<string, RulePolicy> {
  if (config === undefined) return new Map();
  const none = { allow: [], deny: [], ignore: [] };
  const { labels, variables } = config;
  const expression = variables === undefined ? none : { ...none, variables };
  return new Map<string, RulePolicy>([
    ["runner-label", { ...none, allow: labels }],
    ["expression", expression],
  ]);
}

/** The first that says something decides; what is allowed, denied and ignored adds up. */
function together(policies: readonly RulePolicy[]): RulePolicy {
  return {
    ...Object.assign({}, ...policies.toReversed()),
    allow: policies.flatMap((policy) => policy.allow),
    deny: policies.flatMap((policy) => policy.deny),
    ignore: policies.flatMap((policy) => policy.ignore),
  };
}
