/** The tags of images of ours, as image updates want to see them. */
import type { ImageTagsPort, TaggedImage } from "#promotion";
import type { Registry } from "#registry";
import { ownRepository } from "./addresses.ts";

/** A reproducible build says that it was made in 1970; then the label, or the push, tells builds apart. */
const epochYear = "1970-01-01";

export function imageTags(registry: Registry): ImageTagsPort {
  return {
    async tags(image) {
      const repository = ownRepository(image);
      if (repository === undefined) return undefined;
      const tags = await registry.tags(repository);
      const found = await Promise.all(tags.map((tag) => taggedImage(registry, repository, tag)));
      return found.filter((tagged) => tagged !== undefined);
    },
  };
}

async function taggedImage(registry: Registry, repository: string, tag: string): Promise<TaggedImage | undefined> {
  const stored = await registry.manifest(repository, tag);
  const image = stored === undefined ? undefined : await registry.image(repository, tag);
  if (stored === undefined || image === undefined) return undefined;
  const label = image.labels["org.opencontainers.image.created"];
  const created = image.created === undefined || image.created.startsWith(epochYear) ? label : image.created;
  const builtAt = timeOf(created) ?? Temporal.Instant.from(stored.pushedAt);
  return {
    tag,
    digest: stored.digest,
    builtAt: builtAt.toString({ smallestUnit: "millisecond" }),
    labels: image.labels,
  };
}

/** Anybody who pushes writes what they like there: one odd image must not keep all others from being promoted. */
function timeOf(text: string | undefined): Temporal.Instant | undefined {
  try {
    return text === undefined ? undefined : Temporal.Instant.from(text);
  } catch {
    return undefined;
  }
}
