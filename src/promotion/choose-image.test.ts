import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseImage, kustomizeImageOf } from "./choose-image.ts";
import { annotationPrefix, readImageUpdates, type TrackedImage } from "./image-list.ts";
import type { TaggedImage } from "./ports.ts";

function image(tag: string, builtAt = "2026-01-01T00:00:00Z"): TaggedImage {
  return { tag, digest: `sha256:${tag}`, builtAt, labels: {} };
}

function tracked(list: string, options: Record<string, string> = {}): TrackedImage {
  const annotations = Object.fromEntries(
    Object.entries({ "image-list": list, ...options }).map(([key, value]) => [annotationPrefix + key, value]),
  );
  const found = readImageUpdates(annotations)?.updates?.images[0];
  assert.ok(found);
  return found;
}

const cases = [
  { name: "semver takes the highest version", list: "a=r/x", tags: ["1.2.0", "1.10.0", "1.9.9"], want: "1.10.0" },
  { name: "semver keeps inside its constraint", list: "a=r/x:~1.2", tags: ["1.2.0", "1.2.7", "1.3.0"], want: "1.2.7" },
  { name: "semver accepts a leading v and skips other tags", list: "a=r/x", tags: ["v1.0.0", "main"], want: "v1.0.0" },
  { name: "semver leaves pre-releases alone", list: "a=r/x", tags: ["1.0.0", "2.0.0-rc.1"], want: "1.0.0" },
  { name: "nothing qualifies, nothing is chosen", list: "a=r/x:2.x", tags: ["1.0.0"], want: undefined },
  {
    name: "alphabetical takes the last",
    list: "a=r/x",
    strategy: "alphabetical",
    tags: ["2026-01", "2026-11"],
    want: "2026-11",
  },
  { name: "digest follows its tag", list: "a=r/x:edge", strategy: "digest", tags: ["edge", "zz"], want: "edge" },
  {
    name: "digest follows latest without one",
    list: "a=r/x",
    strategy: "digest",
    tags: ["latest", "zz"],
    want: "latest",
  },
  { name: "the former name of a strategy still works", list: "a=r/x", strategy: "name", tags: ["a", "b"], want: "b" },
] as const;
for (const { name, list, tags, want, ...rest } of cases) {
  test(name, () => {
    const options = "strategy" in rest ? { "a.update-strategy": rest.strategy } : {};
    assert.equal(
      chooseImage(
        tracked(list, options),
        tags.map((tag) => image(tag)),
      )?.tag,
      want,
    );
  });
}

test("newest-build takes the latest build among the tags that are allowed", () => {
  const image1 = tracked("a=r/x", { "a.update-strategy": "newest-build", "a.allow-tags": "regexp:^[0-9a-f]{7}$" });
  const tags = [
    image("abcdef1", "2026-01-02T00:00:00Z"),
    image("abcdef2", "2026-01-01T00:00:00Z"),
    image("main", "2026-09-01T00:00:00Z"),
  ];
  assert.equal(chooseImage(image1, tags)?.tag, "abcdef1");
});

test("ignored tags are never chosen", () => {
  const image1 = tracked("a=r/x", { "a.update-strategy": "alphabetical", "a.ignore-tags": "nightly-*, latest" });
  assert.equal(chooseImage(image1, [image("b"), image("nightly-9"), image("latest")])?.tag, "b");
});

test("a registry with a port is not taken for a constraint", () => {
  const found = tracked("shop=127.0.0.1:7070/acme/shop:1.x", { "shop.kustomize.image-name": "shop" });
  assert.equal(found.image, "127.0.0.1:7070/acme/shop");
  assert.equal(found.constraint, "1.x");
  assert.deepEqual(kustomizeImageOf(found, image("1.2.3")), { name: "shop", newName: found.image, newTag: "1.2.3" });
});

test("every mistake in the annotations is named with its annotation", () => {
  const read = readImageUpdates({
    [`${annotationPrefix}image-list`]: "a=r/x, b=!!",
    [`${annotationPrefix}a.update-strategy`]: "newest",
    [`${annotationPrefix}a.allow-tags`]: "regexp:(",
    [`${annotationPrefix}write-back-method`]: "argocd",
  });
  assert.equal(read?.updates, undefined);
  const text = read?.problems.map((problem) => problem.path + problem.message).join("\n") ?? "";
  for (const part of ["image-list]", "a.update-strategy]", "a.allow-tags]", "write-back-method]"]) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
});

test("an Application without an image list asks for nothing", () => {
  assert.equal(readImageUpdates({}), undefined);
});
