import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TerminalSizes } from "./terminal-size.ts";

test("the last whole size is taken, however its text is cut", () => {
  const text = '{"Width":80,"Height":24}{"Width":133,"Height":41}\n';
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 6 }), (places) => {
      const at = [...new Set([0, ...places, text.length])].sort((a, b) => a - b);
      const sizes = new TerminalSizes();
      const seen = at.slice(1).map((end, index) => sizes.push(Buffer.from(text.slice(at[index], end))));
      assert.deepEqual(
        seen.findLast((size) => size !== undefined),
        { columns: 133, rows: 41 },
      );
    }),
  );
});

for (const text of [
  '{"Width":0,"Height":24}',
  '{"Width":80}',
  '{"Width":"80","Height":24}',
  "}{",
  "[]",
  '{"Width":70000,"Height":1}',
]) {
  test(`no size: ${text}`, () => assert.equal(new TerminalSizes().push(Buffer.from(text)), undefined));
}

test("what never becomes a size is not kept", () => {
  const sizes = new TerminalSizes();
  for (let pushed = 0; pushed < 100; pushed++) sizes.push(Buffer.alloc(10_000, "{"));
  assert.deepEqual(sizes.push(Buffer.from('{"Width":80,"Height":24}')), { columns: 80, rows: 24 });
});
