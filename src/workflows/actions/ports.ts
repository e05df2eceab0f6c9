/** What resolving actions needs from outside. */
import type { NamedCommit } from "./lock.ts";
import type { ActionHost } from "./policy.ts";

interface Waiting {
  readonly signal: AbortSignal;
}

/** Commits of one repository, wherever it lies. */
export interface ActionRepository {
  /** As the place it lies at spells it. */
  readonly name: string;
  /** What the ref names as far as is known here: nobody is asked. */
  known(ref: string, options: Waiting): Promise<NamedCommit | undefined>;
  /**
   * What the ref names; undefined when nothing. Another host is asked when that is not known here, or was learnt longer
   * ago than `maxAgeMs`. Throws an error of code `git/remote` when it
   * has to be asked and cannot be.
   */
  resolve(ref: string, options: Waiting & { readonly maxAgeMs?: number }): Promise<NamedCommit | undefined>;
  /** Whether the commit is here: nobody is asked. */
  holds(sha: string, options: Waiting): Promise<boolean>;
  /** Makes sure that the commit is here; false when there is no such commit. Throws as `resolve`. */
  bring(sha: string, options: Waiting): Promise<boolean>;
  /** Of a commit that is here. */
  readFile(sha: string, path: string, options: Waiting): Promise<string | undefined>;
  /** The files of a commit that is here, as a tar archive. */
  archive(sha: string, options: Waiting): AsyncIterable<Uint8Array>;
}

/** What another host has given us, kept for work without it. */
export interface KeptAction {
  /** Address of the repository. */
  readonly url: string;
  readonly refs: readonly {
    readonly ref: string;
    readonly kind: NamedCommit["kind"];
    readonly sha: string;
    /** RFC 3339. */
    readonly learntAt: string;
  }[];
}

export interface ActionSourcePort {
  /** The installation's policy, as its file says it now; undefined when there is none. */
  policy(options: Waiting): Promise<{ readonly file: string; readonly text: string } | undefined>;
  /** Undefined when this server has no repository of the name. */
  local(repository: string, options: Waiting): Promise<ActionRepository | undefined>;
  /** Whether there is such a repository is found out when it is asked. */
  remote(host: ActionHost, repository: string): ActionRepository;
  kept(options: Waiting): Promise<readonly KeptAction[]>;
  /** Whether runners of this release have an implementation of their own. */
  hasBuiltIn(repository: string, path: string): boolean;
}

/** For a server that has no repositories and asks nobody: built-ins and `./path` remain. */
export const noActionSources: ActionSourcePort = {
  policy: () => Promise.resolve(undefined),
  local: () => Promise.resolve(undefined),
  remote: (_host, name) => ({
    name,
    known: () => Promise.resolve(undefined),
    resolve: () => Promise.resolve(undefined),
    holds: () => Promise.resolve(false),
    bring: () => Promise.resolve(false),
    readFile: () => Promise.resolve(undefined),
    async *archive() {},
  }),
  kept: () => Promise.resolve([]),
  hasBuiltIn: () => false,
};
