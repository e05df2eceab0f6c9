/** What one job may do with caches and artifacts. Signed into its runtime token, so that no request looks it up. */

export interface CacheScope {
  /** A full ref: entries are kept by the branch that made them. */
  readonly ref: string;
  readonly writable: boolean;
}

export interface JobGrant {
  readonly repository: string;
  readonly runId: string;
  readonly jobId: string;
  /** 1 for the first, one more at each re-run. */
  readonly attempt: number;
  /** In the order in which they are searched; at most one is writable. */
  readonly scopes: readonly CacheScope[];
}

export interface GrantedRun {
  /** `github.ref`. */
  readonly ref: string;
  /** `github.base_ref`; empty but for pull requests. */
  readonly baseRef: string;
  readonly defaultBranch: string;
  /** A stranger's code runs: it may read what its base has, and leave nothing behind for others. */
  readonly readOnly: boolean;
}

/**
 * Its own branch, then the one it is to be merged into, then the default branch: what a branch has made is never seen by
 * its siblings, so that nobody can leave something in the cache for a branch with more rights.
 */
export function cacheScopes(run: GrantedRun): readonly CacheScope[] {
  const base = run.baseRef === "" ? [] : [`refs/heads/${run.baseRef}`];
  const refs = [run.ref, ...base, `refs/heads/${run.defaultBranch}`];
  return [...new Set(refs)].map((ref, index) => ({ ref, writable: index === 0 && !run.readOnly }));
}
