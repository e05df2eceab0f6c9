import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StreamError } from "../errors.ts";
import { encodeFrame, type SpdyFrame } from "./frame.ts";
import { SpdyFrameDecoder } from "./frame-decoder.ts";

const streamId = fc.integer({ min: 1, max: 0x7fffffff });
const word = fc.integer({ min: 0, max: 0x7fffffff });
const bytes = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));

const frame: fc.Arbitrary<SpdyFrame> = fc
  .oneof(
    fc.record({
      kind: fc.constantFrom("syn-stream" as const, "syn-reply" as const, "headers" as const),
      streamId,
      fin: fc.boolean(),
      block: bytes(200),
    }),
    fc.record({ kind: fc.constant("data" as const), streamId, fin: fc.boolean(), bytes: bytes(300) }),
    fc.record({ kind: fc.constant("rst-stream" as const), streamId, status: word }),
    fc.record({ kind: fc.constant("ping" as const), id: word }),
    fc.record({ kind: fc.constant("goaway" as const), lastStreamId: word, status: word }),
    fc.record({ kind: fc.constant("window-update" as const), streamId: word, delta: word }),
  )
  // Records come without a prototype, frames have one.
  .map((record) => ({ ...record }));

/** Data of a stream that follows on data of it as one frame: cutting changes nothing else. */
function joined(frames: Iterable<SpdyFrame>): SpdyFrame[] {
  const all: SpdyFrame[] = [];
  for (const found of frames) {
    const last = all.at(-1);
    const goesOn = found.kind === "data" && last?.kind === "data" && last.streamId === found.streamId && !last.fin;
    if (goesOn) all[all.length - 1] = { ...found, bytes: Buffer.concat([last.bytes, found.bytes]) };
    else all.push(found);
  }
  return all;
}

const wire = (frames: readonly SpdyFrame[]): Buffer => Buffer.concat(frames.map(encodeFrame));

function cut(whole: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, index) => whole.subarray(from, at[index] ?? whole.length));
}

function decode(pieces: readonly Buffer[]): SpdyFrame[] {
  const decoder = new SpdyFrameDecoder();
  return pieces.flatMap((piece) => [...decoder.push(piece)]);
}

test("frames come out as they went in, wherever their bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 30 }), (frames, places) => {
      assert.deepEqual(joined(decode(cut(wire(frames), places))), joined(frames));
    }),
    { numRuns: 500 },
  );
});

test("what is no SPDY is frames or a refusal, never another error, and after a refusal nothing comes", () => {
  const near = fc
    .tuple(fc.array(frame, { maxLength: 4 }), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }))
    .map(([frames, changes]) => {
      const whole = wire(frames);
      for (const [place, value] of changes) if (whole.length > 0) whole[place % whole.length] = value;
      return whole;
    });
  fc.assert(
    fc.property(fc.oneof(bytes(400), near), fc.array(fc.nat(), { maxLength: 10 }), (garbage, places) => {
      const decoder = new SpdyFrameDecoder();
      let refusal: unknown;
      for (const piece of cut(garbage, places)) {
        try {
          const frames = [...decoder.push(piece)];
          assert.ok(refusal === undefined || frames.length === 0);
        } catch (error) {
          assert.ok(error instanceof StreamError, String(error));
          refusal ??= error;
          assert.equal(error, refusal);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test("a control frame over 64 KiB is refused by its head; a data frame of 16 MiB is handed on piece by piece", () => {
  const long = Buffer.from([0x80, 3, 0, 1, 0, 1, 0, 1]);
  assert.throws(() => decode([long]), /control frame of 65537 bytes/);
  const data = Buffer.from([0, 0, 0, 1, 1, 0xff, 0xff, 0xff, 1, 2, 3]);
  const [first] = decode([data]);
  assert.deepEqual(first, { kind: "data", streamId: 1, fin: false, bytes: Buffer.from([1, 2, 3]) });
});

test("SETTINGS and frames that are not known mean nothing", () => {
  const settings = Buffer.from([0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0]);
  const unknown = Buffer.from([0x80, 3, 0, 99, 0, 0, 0, 1, 7]);
  assert.deepEqual(decode([settings, unknown, encodeFrame({ kind: "ping", id: 1 })]), [{ kind: "ping", id: 1 }]);
});
