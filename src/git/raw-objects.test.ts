import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommitObject, parseTreeObject } from "./raw-objects.ts";

const sha = "a".repeat(40);
const commit = (lines: readonly string[]): ReturnType<typeof parseCommitObject> =>
  parseCommitObject({ sha, content: Buffer.from(lines.join("\n")) });
const people = [
  "author Ada Lovelace <ada@example.com> 1700000000 +0130",
  "committer Bo <bo@example.com> 1700000060 +0000",
];

test("a commit is read with its parents, people, times with their offsets, and message", () => {
  const found = commit([`tree ${sha}`, `parent ${"b".repeat(40)}`, ...people, "", "Subject", "", "Body", ""]);
  assert.deepEqual(found, {
    sha,
    tree: sha,
    parents: ["b".repeat(40)],
    author: { name: "Ada Lovelace", email: "ada@example.com", date: "2023-11-14T23:43:20+01:30" },
    committer: { name: "Bo", email: "bo@example.com", date: "2023-11-14T22:14:20Z" },
    message: "Subject\n\nBody",
    subject: "Subject",
  });
});

test("a signature of several lines hides no header, and holds none", () => {
  const signature = ["gpgsig -----BEGIN PGP SIGNATURE-----", " parent of nothing", " -----END PGP SIGNATURE-----"];
  assert.deepEqual(commit([`tree ${sha}`, ...people, ...signature, "", "x"])?.parents, []);
});

test("a commit in another encoding, or one that is broken, is left to git", () => {
  assert.equal(commit([`tree ${sha}`, ...people, "encoding ISO-8859-1", "", "x"]), undefined);
  assert.equal(commit([`tree ${sha}`, "author nobody", "", "x"]), undefined);
});

test("a tree is read with ids of either length", () => {
  for (const length of [40, 64]) {
    const id = "0af1".repeat(length / 4);
    const entry = (mode: string, name: string): Buffer =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, "hex")]);
    const content = Buffer.concat([entry("100644", "a b.txt"), entry("40000", "sub")]);
    const entries = parseTreeObject({ sha: "f".repeat(length), content });
    assert.deepEqual(entries, [
      { mode: "100644", name: "a b.txt", sha: id },
      { mode: "40000", name: "sub", sha: id },
    ]);
  }
});
