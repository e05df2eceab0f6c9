import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnyObject } from "#api";
import { freezeDeep } from "./frozen.ts";
import { RecentTexts } from "./recent-texts.ts";

function named(name: string): AnyObject {
  return { apiVersion: "v1", kind: "Thing", metadata: { name } };
}

test("what was kept is given again, and the oldest is let go and written out anew", () => {
  const texts = new RecentTexts(2);
  const [a, b, c] = [freezeDeep(named("a")), freezeDeep(named("b")), freezeDeep(named("c"))];
  for (const object of [a, b, c]) texts.keep(object, `kept ${object.metadata.name}`);
  assert.deepEqual([texts.of(c), texts.of(b), texts.of(a)], ["kept c", "kept b", JSON.stringify(a)]);
});

test("the text of an object that can still change is made each time", () => {
  const texts = new RecentTexts();
  const object = named("a");
  texts.of(object);
  object.metadata.name = "b";
  assert.equal(texts.of(object), JSON.stringify(named("b")));
});
