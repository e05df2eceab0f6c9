/** One file as the rules see it: its tree, its jobs and steps, and the text for what the tree does not carry. */
import { readYamlTree, type Position, type Workflow, type YamlNode } from "#workflows";
import type { Checked } from "#lib";
import type { DocumentKind } from "./finding.ts";
import { itemsOf, nodeAt, pairsOf, scalarsOf, textAt, textsOf } from "./tree.ts";

export interface LintStep {
  readonly node: YamlNode;
  /** Absent in a composite action. */
  readonly job?: LintJob;
  readonly uses?: string;
  readonly run?: string;
}

export interface LintJob {
  readonly key: string;
  readonly at: Position;
  readonly node: YamlNode;
  readonly steps: readonly LintStep[];
}

/** The other files that are looked at together with one. */
export interface Project {
  /** Whether all of the repository is there, so that a file that is not there does not exist. */
  readonly isWhole: boolean;
  document(path: string): LintDocument | undefined;
  workflow(path: string): Workflow | undefined;
}

export interface LintDocument {
  readonly file: string;
  readonly project: Project;
  readonly kind: DocumentKind;
  readonly root: YamlNode;
  readonly lines: readonly string[];
  /** First and last line of each scalar of several lines. */
  readonly longScalars: readonly (readonly [number, number])[];
  /** Names under `on`. */
  readonly events: readonly string[];
  readonly jobs: readonly LintJob[];
  /** Those of all jobs, or of a composite action. */
  readonly steps: readonly LintStep[];
}

/** What kind of file is at this path, or undefined when it is not for the linter. */
export function documentKind(path: string): DocumentKind | undefined {
  if (/^\.(github|forgejo|gitea)\/workflows\/[^/]+\.ya?ml$/.test(path)) return "workflow";
  if (/(^|\/)action\.ya?ml$/.test(path)) return "action";
  if (/^\.github\/dependabot\.ya?ml$/.test(path)) return "dependabot";
  if (/^\.pre-commit-config\.ya?ml$/.test(path)) return "pre-commit";
  return undefined;
}

/** A file that is looked at alone. */
const alone: Project = { isWhole: false, document: () => undefined, workflow: () => undefined };

export function readDocument(
  file: string,
  kind: DocumentKind,
  text: string,
  project: Project = alone,
): Checked<LintDocument> {
  const tree = readYamlTree(file, text);
  if (tree.value === undefined) return { problems: tree.problems };
  const root = tree.value;
  const jobs = kind === "workflow" ? readJobs(root) : [];
  const own = kind === "action" ? readSteps(nodeAt(root, "runs", "steps")) : [];
  const document: LintDocument = {
    file,
    project,
    kind,
    root,
    lines: text.split("\n"),
    longScalars: [...scalarsOf(root)]
      .filter(({ start, end }) => end.line > start.line)
      .map(({ start, end }) => [start.line, end.line] as const),
    events: kind === "workflow" ? eventNames(root) : [],
    jobs,
    steps: [...jobs.flatMap((job) => job.steps), ...own],
  };
  return { value: document, problems: [] };
}

function eventNames(root: YamlNode): readonly string[] {
  const on = nodeAt(root, "on");
  return on?.kind === "mapping" ? on.pairs.map((pair) => pair.key.value) : textsOf(on);
}

function readJobs(root: YamlNode): readonly LintJob[] {
  return pairsOf(nodeAt(root, "jobs")).map((pair) => {
    const steps: LintStep[] = [];
    const job: LintJob = { key: pair.key.value, at: pair.key.start, node: pair.value, steps };
    steps.push(...readSteps(nodeAt(pair.value, "steps"), job));
    return job;
  });
}

/** Those inside a `parallel:` group too. */
function readSteps(list: YamlNode | undefined, job?: LintJob): readonly LintStep[] {
  return itemsOf(list).flatMap((node) => {
    const uses = textAt(node, "uses")?.trim();
    const run = textAt(node, "run");
    const step: LintStep = {
      node,
      ...(job === undefined ? {} : { job }),
      ...(uses === undefined ? {} : { uses }),
      ...(run === undefined ? {} : { run }),
    };
    return [step, ...readSteps(nodeAt(node, "parallel"), job)];
  });
}

/** What a line says after `#`, or undefined. */
export function commentOn(document: LintDocument, line: number): string | undefined {
  const text = document.lines[line - 1] ?? "";
  const start = /(?:^|\s)#/.exec(text);
  return start === null ? undefined : text.slice(start.index + start[0].length).trim();
}
