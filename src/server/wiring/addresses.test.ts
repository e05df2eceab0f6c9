import assert from "node:assert/strict";
import { test } from "node:test";
import { ownRepository } from "./addresses.ts";

const cases = [
  ["http://127.0.0.1:7070/acme/shop", "acme/shop"],
  ["http://tidegate.localhost:7070/acme/shop.git", "acme/shop"],
  ["http://user:secret@localhost/acme/shop/", "acme/shop"],
  ["127.0.0.1:7070/acme/shop", "acme/shop"],
  ["127.0.0.1:7070/acme/shop:1.2.3", "acme/shop"],
  ["127.0.0.1:7070/acme/shop@sha256:abc", "acme/shop"],
  ["https://example.com/acme/shop", undefined],
  ["http://127.0.0.1.example.com/acme/shop", undefined],
  ["ghcr.io/acme/shop", undefined],
  ["acme/shop", undefined],
  ["", undefined],
] as const;
for (const [text, want] of cases) {
  test(`"${text}" means ${want ?? "nothing of ours"}`, () => assert.equal(ownRepository(text), want));
}
