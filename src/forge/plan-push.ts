/** What a moved branch means to the open pull requests about it. Pure. */

export interface BranchMove {
  readonly repositoryId: string;
  readonly branch: string;
  /** Undefined: the branch is gone. */
  readonly after: string | undefined;
}

export interface WatchedPull {
  readonly number: number;
  readonly repositoryId: string;
  readonly base: { readonly ref: string; readonly sha: string };
  readonly head: { readonly ref: string; readonly sha: string; readonly repositoryId: string };
}

/**
 * `synchronize`: its head has moved. `close`: one of its branches is gone. `look`: its base has moved, so it may have
 * been merged by hand, and merging it now gives something else.
 */
export type PullReaction =
  | { readonly kind: "synchronize"; readonly number: number; readonly head: string }
  | { readonly kind: "close"; readonly number: number }
  | { readonly kind: "look"; readonly number: number; readonly base: string };

export function planPush(move: BranchMove, pulls: readonly WatchedPull[]): readonly PullReaction[] {
  return pulls.flatMap((pull): readonly PullReaction[] => {
    const { number, base, head } = pull;
    const ofHead = head.repositoryId === move.repositoryId && head.ref === move.branch;
    const ofBase = pull.repositoryId === move.repositoryId && base.ref === move.branch;
    if (!ofHead && !ofBase) return [];
    if (move.after === undefined) return [{ kind: "close", number }];
    if (ofHead) return head.sha === move.after ? [] : [{ kind: "synchronize", number, head: move.after }];
    return base.sha === move.after ? [] : [{ kind: "look", number, base: move.after }];
  });
}
