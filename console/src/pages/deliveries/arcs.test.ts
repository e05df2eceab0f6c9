import assert from "node:assert/strict";
import { test } from "node:test";
import { arcsOf } from "./arcs.ts";

function event(id: string, ...causes: string[]) {
  return { id, causes };
}

test("neighbours are joined on the rail", () => {
  assert.deepEqual(arcsOf([event("a"), event("b", "a"), event("c", "b")], 4), [
    { from: 0, to: 1, lane: 0 },
    { from: 1, to: 2, lane: 0 },
  ]);
});

test("lines that overlap get lanes of their own, the shorter one inside", () => {
  const arcs = arcsOf([event("a"), event("b"), event("c"), event("d", "b"), event("e", "a")], 4);
  assert.deepEqual(arcs, [
    { from: 1, to: 3, lane: 1 },
    { from: 0, to: 4, lane: 2 },
  ]);
});

test("several effects of one cause share a lane", () => {
  const arcs = arcsOf([event("a"), event("b", "a"), event("c", "a"), event("d", "a")], 4);
  assert.deepEqual(
    arcs.map(({ lane }) => lane),
    [0, 1, 1],
  );
});

test("causes outside the list and an event that names itself draw nothing", () => {
  assert.deepEqual(arcsOf([event("a", "elsewhere", "a")], 4), []);
});

test("a cause that was recorded after its effect is joined upwards", () => {
  assert.deepEqual(arcsOf([event("b", "a"), event("a")], 4), [{ from: 1, to: 0, lane: 0 }]);
});
