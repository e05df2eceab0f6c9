/**
 * What a repository told `actionlint`: `.github/actionlint.yaml`.
 *
 *   self-hosted-runner:
 *     labels: [gpu, "linux.*"]
 *   config-variables: [DEFAULT_RUNNER]       # then `vars` has these and no others
 *   paths:
 *     .github/workflows/release.yml:
 *       ignore: ['shellcheck reported issue in this script: SC2086:.+']
 */
import { errorMessage, linearPattern, type Checked, type LinearPattern, type Problem } from "#lib";
import { readYamlTree, type YamlNode } from "#workflows";
import type { Finding } from "../finding.ts";
import { nodeAt, pairsOf, textsOf } from "../tree.ts";
import { globPattern } from "./glob.ts";

export const actionlintPaths = [".github/actionlint.yaml", ".github/actionlint.yml"] as const;

/** Messages that are not wanted in the files that the glob matches. */
export interface Silence {
  readonly files: LinearPattern;
  readonly messages: readonly LinearPattern[];
}

export interface ActionlintConfig {
  /** Globs; labels that runners of this repository have. */
  readonly labels: readonly string[];
  /** Absent when any variable may be read. */
  readonly variables?: readonly string[];
  readonly silences: readonly Silence[];
}

/** A pattern that cannot be read is told of and matches nothing. */
export function readActionlintConfig(file: string, text: string): Checked<ActionlintConfig> {
  const tree = readYamlTree(file, text);
  if (tree.value === undefined) return { problems: tree.problems };
  const problems: Problem[] = [];
  const compile = (node: YamlNode, path: string, build: () => LinearPattern): readonly LinearPattern[] => {
    try {
      return [build()];
    } catch (error) {
      const at = { file, line: node.start.line, column: node.start.column };
      problems.push({ path, message: `Cannot be used as a pattern: ${errorMessage(error)}`, at });
      return [];
    }
  };
  const silences = pairsOf(nodeAt(tree.value, "paths")).flatMap((pair) => {
    const path = `paths["${pair.key.value}"]`;
    const ignore = nodeAt(pair.value, "ignore");
    const messages = textsOf(ignore).flatMap((source) =>
      compile(ignore ?? pair.value, `${path}.ignore`, () => linearPattern(source)),
    );
    return compile(pair.key, path, () => globPattern(pair.key.value)).map((files) => ({ files, messages }));
  });
  const variables = nodeAt(tree.value, "config-variables");
  const config = { labels: textsOf(nodeAt(tree.value, "self-hosted-runner", "labels")), silences };
  const strict = variables?.kind === "sequence" ? { variables: textsOf(variables) } : {};
  return { value: { ...config, ...strict }, problems };
}

/** Messages of scripts are matched as `actionlint` words them too. */
export function isSilenced(finding: Finding, silences: readonly Silence[]): boolean {
  const { file, rule, message } = finding;
  const words = [message, `${rule} reported issue in this script: ${message}`];
  return silences.some(
    ({ files, messages }) =>
      messages.length > 0 && files.test(file) && messages.some((pattern) => words.some((text) => pattern.test(text))),
  );
}
