import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { parseIgnoreFile } from "./dockerignore.ts";

const cases: readonly { name: string; rules: string; kept: string[]; ignored: string[] }[] = [
  { name: "a name matches at the root only", rules: "tmp", kept: ["a/tmp"], ignored: ["tmp", "tmp/x/y"] },
  { name: "two stars match any depth", rules: "**/*.log", kept: ["a.txt"], ignored: ["a.log", "a/b/c.log"] },
  { name: "one star stays in its folder", rules: "*/x", kept: ["x", "a/b/x"], ignored: ["a/x", "a/x/y"] },
  {
    name: "the last match wins",
    rules: "*.md\n!README*.md\nREADME-secret.md",
    kept: ["README.md"],
    ignored: ["a.md", "README-secret.md"],
  },
  {
    name: "a negation brings back a file of an ignored folder",
    rules: "dist\n!dist/keep",
    kept: ["dist/keep"],
    ignored: ["dist", "dist/x"],
  },
  {
    name: "comments, blanks and a leading slash",
    rules: "# c\n\n/node_modules/\n",
    kept: ["a/node_modules"],
    ignored: ["node_modules/x"],
  },
  { name: "classes and question marks", rules: "file[0-9].t?t", kept: ["filea.txt"], ignored: ["file1.txt"] },
  { name: "a star-star folder", rules: "a/**/b", kept: ["b"], ignored: ["a/b", "a/x/y/b"] },
];
for (const { name, rules, kept, ignored } of cases) {
  test(`.dockerignore: ${name}`, () => {
    const parsed = parseIgnoreFile(rules);
    deepEqual(
      kept.filter((path) => parsed.ignores(path)),
      [],
    );
    deepEqual(
      ignored.filter((path) => !parsed.ignores(path)),
      [],
    );
  });
}

test("an ignored folder is pruned only while nothing can come back", () => {
  equal(parseIgnoreFile("dist").prunes("dist"), true);
  equal(parseIgnoreFile("dist\n!dist/a").prunes("dist"), false);
});
