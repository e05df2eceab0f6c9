import assert from "node:assert/strict";
import { test } from "node:test";
import type { Registry } from "#registry";
import { imageTags } from "./image-tags.ts";

const pushedAt = "2026-03-01T10:00:00Z";

/** A registry whose repository has one tag for each of these times of creation. */
function registryOf(created: Readonly<Record<string, string | undefined>>): Registry {
  const image = (tag: string): unknown => {
    const time = created[tag];
    return time === undefined ? { labels: {} } : { created: time, labels: {} };
  };
  const fake = {
    tags: () => Promise.resolve(Object.keys(created)),
    manifest: (_repository: string, tag: string) => Promise.resolve({ digest: `sha256:${tag}`, pushedAt }),
    image: (_repository: string, tag: string) => Promise.resolve(image(tag)),
  };
  return fake as unknown as Registry;
}

test("an image that says nonsense of when it was built counts from its push, and hides no other", async () => {
  const port = imageTags(registryOf({ good: "2026-01-01T00:00:00Z", odd: "yesterday", silent: undefined }));
  const tags = await port.tags("localhost:7070/acme/shop", new AbortController().signal);
  assert.deepEqual(
    tags?.map(({ tag, builtAt }) => [tag, builtAt]),
    [
      ["good", "2026-01-01T00:00:00.000Z"],
      ["odd", "2026-03-01T10:00:00.000Z"],
      ["silent", "2026-03-01T10:00:00.000Z"],
    ],
  );
});
