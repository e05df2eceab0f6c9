import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SecretsError, type SecretsErrorCode } from "./errors.ts";
import { masterKey, newMasterKey } from "./key-ring.ts";
import { rewrap, seal, type Sealed, unseal } from "./seal.ts";

const values = fc.string({ unit: "grapheme", maxLength: 300 });
const places = fc.record({
  scope: fc.constantFrom("acme", "acme/shop", "acme/shop#prod"),
  name: fc.stringMatching(/^[A-Z_]{1,8}$/),
});
const place = { scope: "acme/shop", name: "TOKEN" };
const [key, other] = [newMasterKey(), newMasterKey()];

function refusal(code: SecretsErrorCode, value?: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SecretsError);
    assert.equal(error.code, code);
    if (value !== undefined) assert.ok(!String(error.stack).includes(value), "an error never holds the value");
    return true;
  };
}

test("what was sealed opens as it was, under the right one of several keys", () => {
  fc.assert(
    fc.property(values, places, (value, where) => {
      assert.equal(unseal(seal(value, where, key), where, [other, key]), value);
    }),
  );
});

test("a sealed value never holds the value, and no two of one value are alike", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 8 }), (value) => {
      const [first, second] = [seal(value, place, key), seal(value, place, key)];
      for (const part of ["wrappedKey", "sealedValue"] as const) {
        assert.notDeepEqual(first[part], second[part]);
        assert.ok(!Buffer.from(first[part]).includes(value));
      }
    }),
  );
});

test("with any bit flipped it does not open", () => {
  const parts = fc.constantFrom("wrappedKey" as const, "sealedValue" as const);
  // No word of an error, such as "property" in its stack.
  const secrets = fc.string({ minLength: 8, maxLength: 40 }).map((text) => `§${text}`);
  fc.assert(
    fc.property(secrets, parts, fc.nat(), (value, part, at) => {
      const sealed = seal(value, place, key);
      const bytes = Buffer.from(sealed[part]);
      const bit = at % (bytes.length * 8);
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.throws(() => unseal({ ...sealed, [part]: bytes }, place, [key]), refusal("secrets/tampered", value));
    }),
    { numRuns: 500 },
  );
});

test("cut anywhere it does not open", () => {
  const sealed = seal("value", place, key);
  for (const part of ["wrappedKey", "sealedValue"] as const) {
    for (let length = 0; length < sealed[part].length; length++) {
      const cut = { ...sealed, [part]: sealed[part].subarray(0, length) };
      assert.throws(() => unseal(cut, place, [key]), refusal("secrets/tampered"));
    }
  }
});

test("it opens in no other place than its own", () => {
  fc.assert(
    fc.property(places, places, (mine, foreign) => {
      fc.pre(mine.scope !== foreign.scope || mine.name !== foreign.name);
      assert.throws(() => unseal(seal("value", mine, key), foreign, [key]), refusal("secrets/tampered"));
    }),
  );
});

test("another key does not open it, not even under the id of the right one", () => {
  const sealed = seal("a value", place, key);
  assert.throws(() => unseal(sealed, place, [other]), refusal("secrets/key-missing", "a value"));
  const forged = { id: key.id, bytes: other.bytes };
  assert.throws(() => unseal(sealed, place, [forged]), refusal("secrets/tampered", "a value"));
  assert.throws(() => unseal({ ...sealed, keyId: other.id }, place, [key, other]), refusal("secrets/tampered"));
});

test("parts of two secrets of one place do not make a third", () => {
  const [first, second] = [seal("old", place, key), seal("new", place, key)];
  const mixed: Sealed = { ...first, sealedValue: second.sealedValue };
  assert.throws(() => unseal(mixed, place, [key]), refusal("secrets/tampered"));
});

test("wrapped again it keeps its value and its bytes, and the former key opens it no more", () => {
  fc.assert(
    fc.property(values, places, fc.uint8Array({ minLength: 32, maxLength: 32 }), (value, where, bytes) => {
      const next = masterKey(bytes);
      const sealed = seal(value, where, key);
      const again = rewrap(sealed, where, [next, key], next);
      assert.equal(unseal(again, where, [next]), value);
      assert.deepEqual(again.sealedValue, sealed.sealedValue);
      assert.throws(() => unseal(again, where, [key]), refusal("secrets/key-missing"));
    }),
  );
});
