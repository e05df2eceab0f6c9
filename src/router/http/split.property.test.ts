/** What TCP does to a message must not matter: any split of the bytes gives what the whole gives. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BodyMeter } from "./body-meter.ts";
import { HeadScanner, needMore, refused } from "./head-scanner.ts";

const limits = { maxHeadBytes: 200, maxHeaders: 6 };

/** Pieces that make heads and near misses alike. */
const headText = fc
  .array(
    fc.constantFrom("GET / HTTP/1.1", "\r\n", "\r\n\r\n", "Host: a", "\n", "\r", "X: ", "y".repeat(40), "\0", " "),
    {
      maxLength: 16,
    },
  )
  .map((parts) => parts.join(""));

const bodyText = fc
  .array(fc.constantFrom("5\r\nhello\r\n", "0\r\n", "\r\n", "X: y\r\n", "3;a=b\r\n", "abc", "\n", "zz", "GET"), {
    maxLength: 10,
  })
  .map((parts) => parts.join(""));

const cuts = fc.array(fc.nat({ max: 220 }), { maxLength: 12 });

function split(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set([0, ...at.filter((place) => place < bytes.length), bytes.length])].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => Buffer.from(bytes.subarray(places[index], end)));
}

function everyByte(bytes: Buffer): Buffer[] {
  return split(bytes, Array.from(bytes.keys()));
}

function scanAll(chunks: readonly Buffer[]): { outcome: string; consumed: number } {
  const scanner = new HeadScanner(limits);
  let before = 0;
  for (const chunk of chunks) {
    const end = scanner.scan(chunk, 0);
    if (end === refused) return { outcome: `refused ${scanner.refusal.status}`, consumed: 0 };
    if (end !== needMore)
      return { outcome: scanner.head.toString("latin1", scanner.start, scanner.end), consumed: before + end };
    before += chunk.length;
  }
  return { outcome: "more", consumed: before };
}

test("a head is found, or refused, wherever the stream is cut", () => {
  fc.assert(
    fc.property(headText, cuts, (text, at) => {
      const bytes = Buffer.from(text, "latin1");
      const whole = scanAll([bytes]);
      assert.deepEqual(scanAll(split(bytes, at)), whole);
      assert.deepEqual(scanAll(everyByte(bytes)), whole);
    }),
    { numRuns: 500 },
  );
});

function measureAll(chunks: readonly Buffer[]): { outcome: string; payload: string } {
  const meter = new BodyMeter("chunked");
  let before = 0;
  let payload = "";
  for (const chunk of chunks) {
    const spans: number[] = [];
    const end = meter.measure(chunk, 0, spans);
    for (let i = 0; i + 1 < spans.length; i += 2) payload += chunk.toString("latin1", spans[i], spans[i + 1]);
    if (end === -2) return { outcome: "malformed", payload: "" };
    if (end >= 0) return { outcome: `ends at ${before + end}`, payload };
    before += chunk.length;
  }
  return { outcome: "more", payload };
}

test("a chunked body ends, or is refused, wherever the stream is cut, with the same payload", () => {
  fc.assert(
    fc.property(bodyText, cuts, (text, at) => {
      const bytes = Buffer.from(text, "latin1");
      const whole = measureAll([bytes]);
      assert.deepEqual(measureAll(split(bytes, at)), whole);
      assert.deepEqual(measureAll(everyByte(bytes)), whole);
    }),
    { numRuns: 500 },
  );
});
