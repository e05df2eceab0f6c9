/** Which entry of a cache a job gets. Pure. */

export interface CacheCandidate {
  readonly scope: string;
  readonly key: string;
  readonly version: string;
  readonly createdAt: number;
}

export interface CacheQuestion {
  /** In the order in which they are searched. */
  readonly scopes: readonly string[];
  readonly key: string;
  /** Tried in this order, each as the beginning of a key. */
  readonly restoreKeys: readonly string[];
  readonly version: string;
}

/**
 * Per branch, before the next one is looked at: the key itself; then the newest entry whose key begins with it; then the
 * same for each restore key.
 */
export function matchCache<T extends CacheCandidate>(entries: readonly T[], question: CacheQuestion): T | undefined {
  for (const scope of question.scopes) {
    const here = entries
      .filter((entry) => entry.scope === scope && entry.version === question.version)
      .toSorted((a, b) => b.createdAt - a.createdAt);
    const exact = here.find((entry) => entry.key === question.key);
    if (exact !== undefined) return exact;
    for (const prefix of [question.key, ...question.restoreKeys]) {
      const found = here.find((entry) => entry.key.startsWith(prefix));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
