/** The problem matchers that steps of a job have added, and what they find in the output of one step. */
import { statSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join, relative } from "node:path";
import type { Annotation } from "#workflows";
import { StepFailure } from "../errors.ts";
import type { Job } from "../job/job.ts";
import { parseMatchers, type MatcherConfig } from "./matcher-config.ts";
import { Matcher, type Match } from "./matcher.ts";

/** By owner, the one added last first. */
export class JobMatchers {
  #configs: readonly MatcherConfig[] = [];

  get configs(): readonly MatcherConfig[] {
    return this.#configs;
  }

  /** One of the same owner takes the place of the one before. */
  add(configs: readonly MatcherConfig[]): void {
    const owners = new Set(configs.map(({ owner }) => owner.toLowerCase()));
    this.#configs = [...configs, ...this.#configs.filter(({ owner }) => !owners.has(owner.toLowerCase()))];
  }

  remove(owners: readonly string[]): void {
    const gone = new Set(owners.map((owner) => owner.toLowerCase()));
    this.#configs = this.#configs.filter(({ owner }) => !gone.has(owner.toLowerCase()));
  }
}

/** The matchers of a file that a step names. Throws `StepFailure` when it cannot be read. */
export function readMatchers(job: Job, path: string): MatcherConfig[] {
  const { workspace } = job.parts.folders;
  const file = isAbsolute(path) ? job.host.outside(path) : join(workspace, path);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new StepFailure(`Cannot read problem matchers of "${path}": there is no such file`);
  }
  return parseMatchers(readFileSync(file, "utf8"), path);
}

/** Colours and the like, which programs print on terminals and some also elsewhere. */
// oxlint-disable-next-line no-control-regex -- the escape character is what such sequences begin with
const colours = /\u001B\[[0-9;?]*[A-Za-z]/g;

/** What the matchers see of one step; starts anew when they change. */
export class StepMatchers {
  readonly #job: Job;
  #configs: readonly MatcherConfig[] = [];
  #matchers: readonly Matcher[] = [];

  constructor(job: Job) {
    this.#job = job;
  }

  /** The problem that the line tells of; undefined for every other line. */
  find(line: string): { readonly annotation: Annotation; readonly text: string } | undefined {
    const { configs } = this.#job.shared.matchers;
    if (configs.length === 0) return undefined;
    if (configs !== this.#configs) {
      this.#configs = configs;
      this.#matchers = configs.map((config) => new Matcher(config));
    }
    const text = line.includes("\u001B") ? line.replace(colours, "") : line;
    for (const matcher of this.#matchers) {
      const match = matcher.match(text);
      if (match === undefined) continue;
      for (const other of this.#matchers) if (other !== matcher) other.reset();
      const annotation = annotationOf(match, matcher.config, this.#job);
      if (annotation !== undefined) return { annotation, text };
    }
    return undefined;
  }
}

function annotationOf(match: Match, config: MatcherConfig, job: Job): Annotation | undefined {
  const said = (match.severity ?? config.severity).toLowerCase();
  const level = said === "" ? "error" : said;
  if (match.message === undefined) return undefined;
  if (level !== "error" && level !== "warning" && level !== "notice") return undefined;
  const path = match.file === undefined ? undefined : pathOf(match.file, match.fromPath, job);
  return {
    level,
    message: match.message,
    ...(match.code === undefined ? {} : { title: match.code }),
    ...(path === undefined ? {} : { path }),
    ...numbered("startLine", match.line),
    ...numbered("startColumn", match.column),
  };
}

/** Relative to the workspace; of what is not a file of it, nothing. */
function pathOf(file: string, fromPath: string | undefined, job: Job): string | undefined {
  const { workspace } = job.parts.folders;
  const rooted = (path: string): string => (isAbsolute(path) ? job.host.outside(path) : join(workspace, path));
  // `fromPath` is a file, such as a project's, that names the others from where it is.
  const base = fromPath === undefined || fromPath === "" ? workspace : dirname(rooted(fromPath));
  const whole = isAbsolute(file) ? job.host.outside(file) : join(base, file);
  const path = relative(workspace, whole);
  if (path === "" || path.startsWith("..") || isAbsolute(path)) return undefined;
  return statSync(whole, { throwIfNoEntry: false })?.isFile() === true ? path : undefined;
}

function numbered(name: "startLine" | "startColumn", text: string | undefined): Partial<Annotation> {
  const value = text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  return value === undefined ? {} : { [name]: value };
}
