import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EventStreamReader } from "./event-stream.ts";

const stream = ':\n\nevent: line\ndata: {"a":1}\n\nevent: line\ndata: one\ndata: two\n\n:\n\nevent: end\ndata: {}\n\n';

test("events come out the same however the stream is cut", () => {
  const want = [
    { name: "line", data: '{"a":1}' },
    { name: "line", data: "one\ntwo" },
    { name: "end", data: "{}" },
  ];
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
      const reader = new EventStreamReader();
      const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
      const events = places.slice(1).flatMap((to, at) => reader.read(stream.slice(places[at], to)));
      assert.deepEqual(events, want);
    }),
  );
});
