import type { Repository } from "#git";
import type { RestParts } from "./face.ts";

/** The branch or tag that a client names, in short or in full; undefined when there is neither. */
export async function namedRef(
  { repositories }: Pick<RestParts, "repositories">,
  repository: Repository,
  text: string,
): Promise<{ readonly ref: string; readonly sha: string } | undefined> {
  const names = text.startsWith("refs/") ? [text] : [`refs/heads/${text}`, `refs/tags/${text}`];
  for (const ref of names) {
    const sha = await repositories.resolve(repository.name, ref);
    if (sha !== undefined) return { ref, sha };
  }
  return undefined;
}
