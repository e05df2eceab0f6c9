import assert from "node:assert/strict";
import { test } from "node:test";
import { type Linked, placeAsTree, placeInLayers } from "./layers.ts";

function box(id: string, ...after: string[]): Linked {
  return { id, after };
}

const layered = [
  {
    name: "a chain takes a column each",
    boxes: [box("a"), box("b", "a"), box("c", "b")],
    want: ["a 0 0", "b 1 0", "c 2 0"],
  },
  {
    name: "boxes side by side share a column",
    boxes: [box("a"), box("b"), box("c", "a", "b")],
    want: ["a 0 0", "b 0 1", "c 1 0"],
  },
  {
    name: "the longest way counts",
    boxes: [box("a"), box("b", "a"), box("c", "a", "b")],
    want: ["a 0 0", "b 1 0", "c 2 0"],
  },
  {
    name: "the order of the file does not matter",
    boxes: [box("c", "b"), box("b", "a"), box("a")],
    want: ["c 2 0", "b 1 0", "a 0 0"],
  },
  { name: "an unknown need is left out", boxes: [box("a", "gone")], want: ["a 0 0"] },
];
for (const { name, boxes, want } of layered) {
  test(`in layers, ${name}`, () => {
    assert.deepEqual(
      placeInLayers(boxes).map(({ id, column, row }) => `${id} ${column} ${row}`),
      want,
    );
  });
}

test("in layers, a ring ends and every box has a place", () => {
  const placed = placeInLayers([box("a", "b"), box("b", "a")]);
  assert.equal(placed.length, 2);
  assert.ok(placed.every(({ column }) => column >= 0));
});

test("in a tree, a parent stands beside the middle of its children", () => {
  const placed = placeAsTree([box("app"), box("x", "app"), box("y", "app"), box("z", "y"), box("other")]);
  assert.deepEqual(
    placed.map(({ id, column, row }) => `${id} ${column} ${row}`),
    ["app 0 0.5", "x 1 0", "y 1 1", "z 2 1", "other 0 2"],
  );
});
