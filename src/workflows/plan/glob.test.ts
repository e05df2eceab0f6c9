import assert from "node:assert/strict";
import { test } from "node:test";
import { matchesGlob, matchesPatterns } from "./glob.ts";

// The left side is GitHub's own list of examples for branches, tags and paths.
const patterns: readonly (readonly [pattern: string, matching: string, other: string])[] = [
  ["feature/*", "feature/my-branch feature/your-branch", "feature feature/a/b features/x"],
  ["feature/**", "feature/beta-a/my-branch feature/your-branch feature/mona/the/octocat", "feature my/feature/x"],
  ["main", "main", "mains master"],
  ["releases/mona-the-octocat", "releases/mona-the-octocat", "releases"],
  ["*", "main releases", "all/the/branches"],
  ["**", "all/the/branches every/tag main", ""],
  ["*feature", "mona-feature feature ver-10-feature", "feature-x a/feature"],
  ["v2*", "v2 v2.0 v2.9", "v1 v2/x"],
  ["v[12].[0-9]+.[0-9]+", "v1.10.1 v2.0.0", "v3.0.0 v1.10 v1..1"],
  ["*.jsx?", "page.js page.jsx", "page.jsxx a/page.js page.j"],
  ["**.js", "index.js js/index.js src/js/app.js", "index.jsx"],
  ["docs/*", "docs/readme.md", "docs/a/b.md docs"],
  ["docs/**", "docs/readme.md docs/mona/octocat.txt", "doc/readme.md"],
  ["docs/**/*.md", "docs/README.md docs/mona/hello-world.md docs/a/markdown/file.md", "docs/a.txt"],
  ["**/docs/**", "docs/hello.md dir/docs/my-file.txt space/docs/plan/space.doc", "adocs/x"],
  ["**/README.md", "README.md js/README.md", "XREADME.md js/README.mdx"],
  ["**/*src/**", "a/src/app.js my-src/code/js/app.js", "srcs/x"],
  ["**/*-post.md", "my-post.md path/their-post.md", "post.md"],
  ["**/migrate-*.sql", "migrate-10909.sql db/migrate-v1.0.sql db/sept/migrate-v1.sql", "migrate.sql"],
  ["a+b", "ab aaab", "b a+b"],
  ["\\*x", "*x", "ax"],
  ["[abc", "[abc", "a"],
  ["v[a-]", "va v-", "vb"],
];

for (const [pattern, matching, other] of patterns) {
  test(`"${pattern}" matches what GitHub says it does`, () => {
    for (const name of matching.split(" ")) assert.ok(matchesGlob(pattern, name), `must match ${name}`);
    for (const name of other.split(" ").filter(Boolean))
      assert.ok(!matchesGlob(pattern, name), `must not match ${name}`);
  });
}

test("the last pattern that matches decides", () => {
  assert.ok(matchesPatterns(["releases/**", "!releases/**-alpha"], "releases/10"));
  assert.ok(!matchesPatterns(["releases/**", "!releases/**-alpha"], "releases/10-alpha"));
  assert.ok(matchesPatterns(["*.md", "!README.md", "README*"], "README.md"));
  assert.ok(!matchesPatterns(["!main"], "develop"), "patterns that only exclude match nothing");
});

test("a hostile pattern costs no more than its length times that of the name", () => {
  assert.ok(!matchesGlob("**a".repeat(200), "a".repeat(150) + "b"));
});
