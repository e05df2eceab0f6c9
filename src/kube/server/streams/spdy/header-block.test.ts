import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, createDeflate } from "node:zlib";
import fc from "fast-check";
import { StreamError } from "../errors.ts";
import { headerDictionary, headerDictionaryId } from "./dictionary.ts";
import { HeaderDeflater, HeaderInflater, readPairs, writePairs } from "./header-block.ts";

/** RFC 1950, section 8.2. */
function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return b * 65_536 + a;
}

test("the dictionary is the one that the draft's check sum names", () => {
  assert.equal(adler32(headerDictionary), headerDictionaryId);
});

const names = fc.stringMatching(/^[a-z-]{1,12}$/);
const headers = fc.dictionary(
  names,
  fc.string({ maxLength: 40 }).filter((text) => !text.includes("\0")),
  { maxKeys: 8 },
);

test("headers come out as they went in, block after block of one zlib stream", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(headers, { minLength: 1, maxLength: 4 }), async (blocks) => {
      const deflater = new HeaderDeflater();
      using inflater = new HeaderInflater();
      for (const block of blocks)
        assert.deepEqual({ ...(await inflater.inflate(deflater.deflate(block))) }, { ...block });
    }),
    { numRuns: 60 },
  );
});

test("blocks that a peer really compressed are read", async () => {
  const zlib = createDeflate({ dictionary: headerDictionary, flush: constants.Z_SYNC_FLUSH });
  const chunks: Buffer[] = [];
  zlib.on("data", (chunk: Buffer) => chunks.push(chunk));
  using inflater = new HeaderInflater();
  for (const block of [
    { streamtype: "error", port: "80" },
    { streamtype: "data", port: "80" },
  ]) {
    await new Promise((resolve) => void zlib.write(writePairs(block), resolve));
    assert.deepEqual({ ...(await inflater.inflate(Buffer.concat(chunks.splice(0)))) }, block);
  }
});

test("a block that unpacks to more than 64 KiB is refused, and so is what is no zlib stream", async () => {
  const zlib = createDeflate({ dictionary: headerDictionary, flush: constants.Z_SYNC_FLUSH });
  const chunks: Buffer[] = [];
  zlib.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => void zlib.write(Buffer.alloc(50_000_000), resolve));
  using bomb = new HeaderInflater();
  await assert.rejects(bomb.inflate(Buffer.concat(chunks)), /over 65536 bytes/);
  using garbage = new HeaderInflater();
  await assert.rejects(garbage.inflate(Buffer.from("no zlib")), /no zlib stream/);
});

test("a block of any bytes is headers or a refusal", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        readPairs(Buffer.from(bytes));
      } catch (error) {
        assert.ok(error instanceof StreamError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
