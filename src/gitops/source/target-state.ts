/** What an Application's source says should be there, kept per commit: the same commit is rendered once. */
import type { AnyObject, ApplicationSource } from "#api";
import { canonicalJson, errorMessage, formatProblems, hasErrors, isAbort, type Clock, type Location } from "#lib";
import { locateField, renderSource, type SourceType } from "#render";
import type { SourcePort } from "../ports.ts";
import { shownURL } from "../project/check-project.ts";
import { renderOptionsOf } from "./render-options.ts";

/** `failed` keeps what runs as it is: the message goes to a ComparisonError condition. */
export type TargetState =
  | {
      readonly kind: "rendered";
      readonly revision: string;
      readonly source: ApplicationSource;
      readonly sourceType: SourceType;
      readonly manifests: readonly AnyObject[];
      /** Where each manifest was written, in the same order. */
      readonly origins: readonly Location[];
    }
  | { readonly kind: "failed"; readonly revision?: string; readonly message: string };

/** Renderings kept for all Applications together; the oldest goes first. */
const keptRenderings = 256;

export class TargetStates {
  readonly #source: SourcePort;
  readonly #clock: Clock;
  readonly #rendered = new Map<string, TargetState>();
  readonly #resolved = new Map<string, { readonly revision: string; readonly atMs: number }>();
  #epoch = 0;

  constructor(source: SourcePort, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /**
   * The commit the source names. Asked of the repository when `refresh` says so or nothing is known; otherwise what it
   * was when last asked. Throws with a message for people.
   */
  async resolve(source: ApplicationSource, refresh: boolean, signal: AbortSignal): Promise<string> {
    const wanted = source.targetRevision || "HEAD";
    const key = `${source.repoURL}\n${wanted}`;
    const known = this.#resolved.get(key);
    if (known !== undefined && !refresh) return known.revision;
    const epoch = this.#epoch;
    const { revision } = await this.#source.resolve(source.repoURL, wanted, signal);
    // A push during the question makes the answer one of the past: good for this pass, which the push repeats.
    if (epoch !== this.#epoch) return revision;
    this.#resolved.delete(key);
    this.#resolved.set(key, { revision, atMs: this.#clock.now().epochMilliseconds });
    dropOldest(this.#resolved);
    return revision;
  }

  /** Forgets what the repositories named by `matches` were known to be at: they changed. */
  forget(matches: (repoURL: string) => boolean): void {
    this.#epoch += 1;
    for (const key of this.#resolved.keys()) {
      if (matches(key.slice(0, key.indexOf("\n")))) this.#resolved.delete(key);
    }
  }

  /** When the source's repository was last asked. */
  askedAtMs(source: ApplicationSource): number | undefined {
    return this.#resolved.get(`${source.repoURL}\n${source.targetRevision || "HEAD"}`)?.atMs;
  }

  async render(source: ApplicationSource, revision: string, hard: boolean, signal: AbortSignal): Promise<TargetState> {
    const key = canonicalJson({ ...source, targetRevision: revision });
    const known = this.#rendered.get(key);
    if (known !== undefined && !hard) return known;
    const state = await this.#render(source, revision, signal);
    this.#rendered.delete(key);
    // A commit that cannot be rendered stays so; a repository that cannot be read has thrown, and is asked again.
    this.#rendered.set(key, state);
    dropOldest(this.#rendered);
    return state;
  }

  /** Both steps, with every failure as data. */
  async current(
    source: ApplicationSource,
    how: { readonly refresh: boolean; readonly hard: boolean },
    signal: AbortSignal,
  ): Promise<TargetState> {
    try {
      const revision = await this.resolve(source, how.refresh, signal);
      const state = await this.render(source, revision, how.hard, signal);
      // The rendering may have been made for another name of the same commit.
      return state.kind === "rendered" ? { ...state, source } : state;
    } catch (error) {
      if (signal.aborted || isAbort(error)) throw error;
      const where = `"${shownURL(source.repoURL)}" at "${source.targetRevision || "HEAD"}"`;
      return { kind: "failed", message: `Cannot read ${where}: ${errorMessage(error)}` };
    }
  }

  async #render(source: ApplicationSource, revision: string, signal: AbortSignal): Promise<TargetState> {
    const options = renderOptionsOf(source);
    const tree = await this.#source.open(source.repoURL, revision, options.path, signal);
    const rendered = await renderSource(tree, options);
    const { value, problems, sourceType } = rendered;
    if (value === undefined || hasErrors(problems)) {
      const message = `Cannot render "${source.path ?? "."}" at ${revision.slice(0, 12)}: ${formatProblems(problems)}`;
      return { kind: "failed", revision, message };
    }
    return { kind: "rendered", revision, source, sourceType, manifests: value, origins: rendered.origins ?? [] };
  }

  /** The file and line of a field of an object as it was committed, when that can be told. */
  async locate(
    state: Extract<TargetState, { kind: "rendered" }>,
    object: { readonly kind: string; readonly name: string },
    field: string,
    signal: AbortSignal,
  ): Promise<Location | undefined> {
    const index = state.manifests.findIndex(
      ({ kind, metadata }) => kind === object.kind && metadata.name === object.name,
    );
    const origin = state.origins[index];
    if (origin === undefined) return undefined;
    const { repoURL, path = "." } = state.source;
    const tree = await this.#source.open(repoURL, state.revision, path, signal);
    const content = await tree.read(origin.file);
    if (content === undefined) return origin;
    return locateField(typeof content === "string" ? content : Buffer.from(content).toString("utf8"), origin, field);
  }
}

function dropOldest(map: Map<string, unknown>): void {
  const [oldest] = map.keys();
  if (map.size > keptRenderings && oldest !== undefined) map.delete(oldest);
}
