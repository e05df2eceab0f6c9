import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkValue, entryName } from "./entry.ts";
import { SecretsError } from "./errors.ts";
import { masterKey, parseKeyRing, printKeyRing } from "./key-ring.ts";
import { type Scope, scopeKey, scopesOf } from "./scope.ts";

const names = [
  { text: "npm_token", want: "NPM_TOKEN" },
  { text: "_A1", want: "_A1" },
  { text: "GITHUB", want: "GITHUB" },
  { text: "1TOKEN", refused: /does not begin with a digit/ },
  { text: "", refused: /letters, digits and _ only/ },
  { text: "MY-TOKEN", refused: /letters, digits and _ only/ },
  { text: "ÄPFEL", refused: /letters, digits and _ only/ },
  { text: "A\n", refused: /letters, digits and _ only/ },
  { text: "github_token", refused: /begin with GITHUB_/ },
  // What is compared is the name in upper case: the dotless i has a plain I there.
  { text: "g\u0131thub_token", refused: /begin with GITHUB_/ },
  { text: "A".repeat(256), refused: /has 256 characters/ },
];
for (const { text, want, refused } of names) {
  test(`a secret named ${JSON.stringify(text.slice(0, 20))} is ${want ?? "refused"}`, () => {
    if (refused === undefined) assert.equal(entryName("secret", text), want);
    else assert.throws(() => entryName("secret", text), refused);
  });
}

const values = [
  { name: "48 KiB fit", value: "é".repeat(24 * 1024) },
  { name: "a byte more does not", value: `${"é".repeat(24 * 1024)}a`, refused: /49153 bytes, and at most 49152/ },
  { name: "a NUL is in no environment variable", value: "hunter2\0", refused: /is not text/ },
  { name: "half a surrogate pair would change when stored", value: "hunter2\ud800", refused: /is not text/ },
  { name: "an empty secret is a mistake", value: "", refused: /is empty/ },
];
for (const { name, value, refused } of values) {
  test(`of values, ${name}`, () => {
    if (refused === undefined) return checkValue("secret", "A", value);
    assert.throws(
      () => checkValue("secret", "A", value),
      (error) => error instanceof SecretsError && refused.test(error.message) && !/hunter2|éé/.test(error.message),
    );
  });
}

const scopes: readonly { scope: Scope; want?: string }[] = [
  { scope: { kind: "owner", owner: "Acme" }, want: "acme" },
  { scope: { kind: "owner", owner: "acme/shop" } },
  { scope: { kind: "owner", owner: "acme#prod" } },
  { scope: { kind: "repository", repository: "Acme/Shop.js" }, want: "acme/shop.js" },
  { scope: { kind: "repository", repository: "acme" } },
  { scope: { kind: "repository", repository: "acme/shop#prod" } },
  { scope: { kind: "repository", repository: "acme/../shop" } },
  { scope: { kind: "environment", repository: "acme/shop", environment: "EU #1/live" }, want: "acme/shop#eu #1/live" },
  { scope: { kind: "environment", repository: "acme/shop", environment: " production" } },
  { scope: { kind: "environment", repository: "acme/shop", environment: "a\nb" } },
  { scope: { kind: "environment", repository: "acme/shop", environment: "a".repeat(256) } },
];
for (const { scope, want } of scopes) {
  test(`the scope ${JSON.stringify(scope).slice(0, 90)} is ${want ?? "refused"}`, () => {
    if (want === undefined) assert.throws(() => scopeKey(scope), /Cannot use/);
    else assert.equal(scopeKey(scope), want);
  });
}

test("a job without an environment reads two scopes, one with an environment three", () => {
  assert.deepEqual(scopesOf({ repository: "acme/shop" }).map(scopeKey), ["acme", "acme/shop"]);
  const reader = { repository: "acme/shop", environment: "prod" };
  assert.deepEqual(scopesOf(reader).map(scopeKey), ["acme", "acme/shop", "acme/shop#prod"]);
});

test("keys are read as they were written", () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(masterKey);
  fc.assert(
    fc.property(key, fc.array(key, { maxLength: 3 }), (first, others) => {
      const text = printKeyRing([first, ...others]);
      const hex = [first, ...others].map(({ id, bytes }) => [id, Buffer.from(bytes).toString("hex")]);
      const read = parseKeyRing(text, "keys").map(({ id, bytes }) => [id, Buffer.from(bytes).toString("hex")]);
      assert.deepEqual(read, hex);
    }),
  );
});

test("a key file that holds something else is refused without being quoted", () => {
  const good = printKeyRing([masterKey(Buffer.alloc(32, 7))]);
  for (const text of ["", "\n", "hunter2", good.slice(1), `${good}${good.slice(0, 20)}`, good.replace(/.\n$/, "B\n")]) {
    assert.throws(
      () => parseKeyRing(text, "keys/secrets"),
      (error) => {
        return (
          error instanceof SecretsError && error.code === "secrets/key-damaged" && !/BwcH|hunter2/.test(error.message)
        );
      },
    );
  }
});
