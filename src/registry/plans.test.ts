import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseRange } from "#lib";
import { pickPlatform } from "./image.ts";
import { parseManifest } from "./manifest.ts";
import { isDigest, isRepositoryName, isTag, resourceOf } from "./names.ts";
import { parseChunkRange } from "./ranges.ts";
import { parseRegistryPath } from "./request-path.ts";
import { grantScopes, parseScopes } from "./scopes.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("a path below /v2/", () => {
  const cases: readonly [path: string, want: unknown][] = [
    ["", { kind: "base" }],
    ["a/b/blobs/uploads/", { kind: "uploads", name: "a/b" }],
    ["a/blobs/uploads", { kind: "uploads", name: "a" }],
    ["a/b/blobs/uploads/id-1", { kind: "upload", name: "a/b", id: "id-1" }],
    [`a/b/blobs/${digest}`, { kind: "blob", name: "a/b", digest }],
    ["blobs/uploads/x/manifests/latest", { kind: "manifest", name: "blobs/uploads/x", reference: "latest" }],
    ["a/b/c/tags/list", { kind: "tags", name: "a/b/c" }],
    [`a/referrers/${digest}`, { kind: "referrers", name: "a", digest }],
    ["_catalog", undefined],
    ["a/manifests/", undefined],
  ];
  for (const [path, want] of cases) {
    test(`"${path}" is ${JSON.stringify(want)}`, () => assert.deepEqual(parseRegistryPath(path), want));
  }
});

describe("a byte range of 10 bytes", () => {
  const cases: readonly [header: string | undefined, want: unknown][] = [
    [undefined, { kind: "whole" }],
    ["bytes=0-3", { kind: "part", start: 0, end: 3 }],
    ["bytes=8-", { kind: "part", start: 8, end: 9 }],
    ["bytes=-3", { kind: "part", start: 7, end: 9 }],
    ["bytes=-30", { kind: "part", start: 0, end: 9 }],
    ["bytes=5-99", { kind: "part", start: 5, end: 9 }],
    ["bytes=10-", { kind: "unsatisfiable" }],
    ["bytes=-0", { kind: "unsatisfiable" }],
    ["bytes=5-2", { kind: "whole" }],
    ["bytes=0-1,3-4", { kind: "whole" }],
    ["lines=0-1", { kind: "whole" }],
  ];
  for (const [header, want] of cases) {
    test(`${header} gives ${JSON.stringify(want)}`, () => assert.deepEqual(parseRange(header, 10), want));
  }

  test("a part always lies within the content", () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), fc.nat(50), (first, last, size) => {
        const range = parseRange(`bytes=${first}-${last}`, size);
        if (range.kind === "part") assert.ok(0 <= range.start && range.start <= range.end && range.end < size);
      }),
    );
  });
});

test("a chunk's range has no unit and does not run backwards", () => {
  assert.deepEqual(parseChunkRange("0-9"), { start: 0, end: 9 });
  assert.equal(parseChunkRange("bytes 0-9/10"), undefined);
  assert.equal(parseChunkRange("9-0"), undefined);
});

test("names, tags and digests follow the specification's patterns", () => {
  for (const name of ["a", "acme/shop", "a/b/c", "a.b/c__d/e--f"]) assert.equal(isRepositoryName(name), true, name);
  for (const name of ["A", "a//b", "/a", "a/", "a._b", "-a", "a".repeat(201)]) {
    assert.equal(isRepositoryName(name), false, name);
  }
  assert.equal(isTag("v1.0_x-Y"), true);
  assert.equal(isTag("-v1"), false);
  assert.equal(isTag("a".repeat(129)), false);
  assert.equal(isDigest(`sha512:${"0".repeat(128)}`), true);
  assert.equal(isDigest(`sha256:${"A".repeat(64)}`), false);
  assert.equal(resourceOf("acme/shop/cache"), "acme/shop");
});

test("a token gets of the asked what the login permits", () => {
  const asked = parseScopes([
    "repository:acme/shop:pull,push repository:acme/other:pull,push,delete",
    "registry:catalog:*",
  ]);
  const identity = { name: "ci", scopes: ["registry:write:acme/shop", "registry:read:acme/other"] };
  assert.deepEqual(
    grantScopes(identity, asked).map((grant) => [grant.name, grant.actions]),
    [
      ["acme/shop", ["pull", "push"]],
      ["acme/other", ["pull"]],
    ],
  );
});

describe("a manifest is refused when", () => {
  const cases: readonly [why: string, content: string, type: string | undefined, message: RegExp][] = [
    ["it is not JSON", "{", "application/x", /it is not JSON/],
    ["it is a list", "[]", "application/x", /not a JSON object/],
    ["nothing says its media type", "{}", undefined, /no mediaType/],
    ["it contradicts the request", '{"mediaType":"a/b"}', "c/d", /is "a\/b", but .* is "c\/d"/],
    ["a layer has no digest", '{"layers":[{"size":1}]}', "a/b", /layers\[0\]\.digest/],
    ["a size is negative", `{"config":{"digest":"${digest}","size":-1}}`, "a/b", /config\.size/],
  ];
  for (const [why, content, type, message] of cases) {
    test(why, () => assert.throws(() => parseManifest(Buffer.from(content), type), message));
  }
});

test("of an index the wanted platform is picked, never an attestation", () => {
  const child = (os: string, architecture: string, size: number) => ({
    mediaType: "",
    digest,
    size,
    platform: { os, architecture },
  });
  const children = [child("unknown", "unknown", 1), child("linux", "amd64", 2), child("linux", "arm64", 3)];
  assert.equal(pickPlatform(children, undefined)?.size, 2);
  assert.equal(pickPlatform(children, { os: "linux", architecture: "arm64" })?.size, 3);
  assert.equal(pickPlatform(children, { os: "windows", architecture: "amd64" }), undefined);
});
