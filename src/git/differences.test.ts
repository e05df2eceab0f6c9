import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRaw, splitPatches } from "./differences.ts";

const [a, b, none] = ["a".repeat(40), "b".repeat(40), "0".repeat(40)];

test("changes are read with their counts, also of moved, binary and removed files", () => {
  const raw = [
    `:000000 100644 ${none} ${a} A`,
    "new file.txt",
    `:100644 100644 ${a} ${b} R090`,
    "old.txt",
    "moved.txt",
    `:100644 000000 ${a} ${none} D`,
    "gone.bin",
    "3\t0\tnew file.txt",
    "1\t2\t",
    "old.txt",
    "moved.txt",
    "-\t-\tgone.bin",
    "",
  ].join("\0");
  assert.deepEqual(parseRaw(raw), [
    { path: "new file.txt", status: "added", sha: a, additions: 3, deletions: 0 },
    { path: "moved.txt", from: "old.txt", status: "renamed", sha: b, additions: 1, deletions: 2 },
    { path: "gone.bin", status: "removed", sha: a, additions: 0, deletions: 0 },
  ]);
});

test("a patch begins with its first hunk, and a file without hunks has none", () => {
  const text = [
    "diff --git a/x b/x",
    "index 1..2 100644",
    "--- a/x",
    "+++ b/x",
    "@@ -1 +1 @@",
    "-diff --git a/y b/y",
    "+two",
    "diff --git a/b.bin b/b.bin",
    "Binary files a/b.bin and b/b.bin differ",
    "",
  ].join("\n");
  assert.deepEqual(splitPatches(text), ["@@ -1 +1 @@\n-diff --git a/y b/y\n+two", ""]);
});
