import type { Problem } from "#lib";

/** Our own implementation, a repository of this server, a repository of another host. */
export type ActionSourceName = "built-in" | "local" | "remote";

/** What a `uses:` stands for. */
export interface ActionUse {
  readonly uses: string;
  /** Where it is written first. */
  readonly at?: { readonly file: string; readonly line: number; readonly column: number };
  /** Absent exactly when there is a problem. */
  readonly source?: ActionSourceName;
  /** Of another host: which. */
  readonly host?: string;
  /** Not of built-ins, as the next two. */
  readonly repository?: string;
  /** In full; of a commit, its id. */
  readonly ref?: string;
  readonly sha?: string;
  /** Where the lock says so; absent when it says nothing. */
  readonly lockedAt?: string;
  /** Why it may not or cannot be used, with what to do about it. */
  readonly problem?: string;
}

export interface ActionDetail extends ActionUse {
  /** Of its files, as a lock holds it. */
  readonly digest?: string;
  /** Its manifest, or the workflow file. */
  readonly file?: { readonly path: string; readonly text: string };
}

/** What another host has given, kept for work without it. */
export interface KeptActionView {
  readonly url: string;
  readonly refs: readonly {
    readonly ref: string;
    readonly kind: "branch" | "tag" | "commit";
    readonly sha: string;
    /** RFC 3339. */
    readonly learntAt: string;
  }[];
}

/** A lock for the files that were sent. */
export interface ActionLockDraft {
  readonly text: string;
  readonly changes: readonly { readonly key: string; readonly before?: string; readonly after?: string }[];
  readonly entries: readonly { readonly key: string; readonly commit: string; readonly digest: string }[];
  /** References that need no entry. */
  readonly builtIn: readonly string[];
  /** With any, the lock is not whole. */
  readonly problems: readonly Problem[];
}
