import type { Transaction } from "kysely";
import type { RegistrySchema } from "./schema.ts";

/** Those tags that do not name the digest yet: a push repeated because its answer was lost is no second push. */
export async function movingTags(
  tx: Transaction<RegistrySchema>,
  repository: string,
  tags: readonly string[],
  digest: string,
): Promise<readonly string[]> {
  if (tags.length === 0) return [];
  const rows = await tx
    .selectFrom("registry_tags")
    .select("tag")
    .where("repository", "=", repository)
    .where("digest", "=", digest)
    .where("tag", "in", tags)
    .execute();
  const there = new Set(rows.map(({ tag }) => tag));
  return tags.filter((tag) => !there.has(tag));
}
