import assert from "node:assert/strict";
import { test } from "node:test";
import { shortImage, shortRef, shortRepository, shortSha, shortSubject, splitPlaces } from "./words.ts";

test("names are shortened where nothing is lost that tells them apart", () => {
  assert.equal(shortSha("0123456789abcdef0123456789abcdef01234567"), "0123456");
  assert.equal(shortSha("main"), "main");
  assert.equal(shortRef("refs/heads/feature/a"), "feature/a");
  assert.equal(shortRef("refs/pull/7/merge"), "#7");
  assert.equal(shortImage(`localhost:7070/acme/shop@sha256:${"ab".repeat(32)}`), "shop@sha256:abababababab");
  assert.equal(shortImage("localhost:7070/acme/shop:v2"), "shop:v2");
  assert.equal(shortSubject(`acme/shop@${"0123456789".repeat(4)}`), "acme/shop@0123456");
  assert.equal(shortSubject("production/shop"), "production/shop");
  assert.equal(shortRepository("http://localhost:7070/acme/environments.git"), "acme/environments");
});

const messages = [
  {
    name: "a file with line and column",
    message: "See apps/shop/kustomization.yaml:4:5: no such file",
    places: ["apps/shop/kustomization.yaml:4:5"],
  },
  { name: "a file with a line", message: "Dockerfile.dev:12 has RUN", places: ["Dockerfile.dev:12"] },
  { name: "a host with a port and path", message: "Cannot reach http://127.0.0.1:7070/x", places: [] },
  { name: "a dotted folder", message: ".github/workflows/ci.yml:9: bad key", places: [".github/workflows/ci.yml:9"] },
  { name: "no place", message: "No traffic yet", places: [] },
];
for (const { name, message, places } of messages) {
  test(`in a message with ${name}, exactly that stands out`, () => {
    const parts = splitPlaces(message);
    assert.deepEqual(
      parts.filter((part) => part.place).map((part) => part.text),
      places,
    );
    assert.equal(parts.map((part) => part.text).join(""), message);
  });
}
