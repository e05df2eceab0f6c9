/** What has to move so that a mirror is as the repository it mirrors. Pure. */
const zero = "0".repeat(40);

export interface MirrorMove {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
}

/** Branches and tags only: what else a repository has is its own. Deletions come first, since `a` may become `a/b`. */
export function planMirror(
  here: ReadonlyMap<string, string>,
  there: ReadonlyMap<string, string>,
): readonly MirrorMove[] {
  const gone = [...here].filter(([ref]) => isMirrored(ref) && !there.has(ref));
  const moved = [...there].filter(([ref, sha]) => isMirrored(ref) && here.get(ref) !== sha);
  return [
    ...gone.map(([ref, before]) => ({ ref, before, after: zero })),
    ...moved.map(([ref, after]) => ({ ref, before: here.get(ref) ?? zero, after })),
  ];
}

function isMirrored(ref: string): boolean {
  return ref.startsWith("refs/heads/") || ref.startsWith("refs/tags/");
}
