/** Where the commits of a pull request come from, as people write it. Pure. */

export interface HeadName {
  /** Undefined: the repository of the pull request itself. */
  readonly owner: string | undefined;
  readonly repository: string | undefined;
  readonly branch: string;
}

/** `feature`, `ada:feature` (the fork of that owner) or `ada/shop:feature`. No branch has a colon in its name. */
export function parseHead(text: string): HeadName {
  const at = text.indexOf(":");
  if (at < 0) return { owner: undefined, repository: undefined, branch: text };
  const [owner = "", repository] = text.slice(0, at).split("/");
  return { owner, repository, branch: text.slice(at + 1) };
}
