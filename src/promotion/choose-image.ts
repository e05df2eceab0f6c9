/** Which of an image's tags an environment should have. Pure. */
import semver from "semver";
import type { TrackedImage } from "./image-list.ts";
import type { KustomizeImage, TaggedImage } from "./ports.ts";

/** Undefined when no tag qualifies: then nothing is changed, for an environment is never taken back to nothing. */
export function chooseImage(tracked: TrackedImage, tags: readonly TaggedImage[]): TaggedImage | undefined {
  const { allowTags, ignoreTags, constraint } = tracked;
  const allowed = tags.filter(
    ({ tag }) => (allowTags === undefined || allowTags.test(tag)) && !ignoreTags.some((pattern) => pattern.test(tag)),
  );
  switch (tracked.strategy) {
    case "digest":
      return tags.find(({ tag }) => tag === (constraint ?? "latest"));
    case "semver":
      return highestVersion(allowed, constraint);
    case "newest-build":
      return best(allowed, (a, b) => compareText(a.builtAt, b.builtAt) || compareText(a.tag, b.tag));
    case "alphabetical":
      return best(allowed, (a, b) => compareText(a.tag, b.tag));
  }
}

/** How a kustomization names the chosen image. */
export function kustomizeImageOf(tracked: TrackedImage, chosen: TaggedImage): KustomizeImage {
  const base = { name: tracked.kustomizeName, newName: tracked.image };
  return tracked.strategy === "digest" ? { ...base, digest: chosen.digest } : { ...base, newTag: chosen.tag };
}

/** A leading `v` is allowed, as upstream does; pre-releases count only where the constraint names one. */
function highestVersion(tags: readonly TaggedImage[], constraint: string | undefined): TaggedImage | undefined {
  const range = constraint ?? "*";
  const versions = tags.flatMap((image) => {
    const version = semver.parse(image.tag, { loose: true });
    return version !== null && semver.satisfies(version, range) ? [{ image, version }] : [];
  });
  return best(versions, (a, b) => semver.compare(a.version, b.version))?.image;
}

function best<T>(items: readonly T[], compare: (a: T, b: T) => number): T | undefined {
  return items.reduce<T | undefined>(
    (top, item) => (top === undefined || compare(item, top) > 0 ? item : top),
    undefined,
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
