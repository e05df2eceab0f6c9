import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { fileName, uniqueNames } from "./run-log-archive.ts";

const names: readonly (readonly [name: string, want: string])[] = [
  ["build (20, linux)", "build (20, linux)"],
  ["deploy (staging) / migrate: now", "deploy (staging)  migrate now"],
  ["../../etc/passwd", "....etcpasswd"],
  ["..", "unnamed"],
  [" / ", "unnamed"],
  ["a\u0000\nb", "ab"],
  ["x".repeat(89) + " tail", "x".repeat(89)],
  ["a".repeat(89) + "😅", "a".repeat(89) + "\uD83D"],
];
for (const [name, want] of names) {
  test(`${JSON.stringify(name.slice(0, 40))} is a file name of an archive`, () => equal(fileName(name), want));
}

test("jobs of one name are told apart, whatever the case", () => {
  deepEqual(uniqueNames(["a", "A", "a/", "a (1)"]), ["a", "A (1)", "a (2)", "a (1) (1)"]);
});
