import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { descendantsOf, matchPattern, mayMatchBelow, parseGlobPattern, searchPathsOf } from "./glob-pattern.ts";

const place = { cwd: "/work/shop", home: "/home/ada" };

const cases: readonly { pattern: string; path: string; want: string }[] = [
  { pattern: "dist", path: "/work/shop/dist", want: "all" },
  { pattern: "dist", path: "/work/shop/dist/a.js", want: "none" },
  { pattern: "dist/", path: "/work/shop/dist", want: "folder" },
  { pattern: "**/*.xml", path: "/work/shop/a.xml", want: "all" },
  { pattern: "**/*.xml", path: "/work/shop/a/b/.c.xml", want: "all" },
  { pattern: "**/*.xml", path: "/work/shopping/a.xml", want: "none" },
  { pattern: "dist/**", path: "/work/shop/dist", want: "all" },
  { pattern: "a/**/b/**/c", path: "/work/shop/a/b/c", want: "all" },
  { pattern: "a/**/b/**/c", path: "/work/shop/a/x/b/y/z/c", want: "all" },
  { pattern: "a/**/b/**/c", path: "/work/shop/a/c", want: "none" },
  { pattern: "~/.npm", path: "/home/ada/.npm", want: "all" },
  { pattern: "/var/?og", path: "/var/log", want: "all" },
  { pattern: "[ab]*.js", path: "/work/shop/b1.js", want: "all" },
  { pattern: "[!ab]*.js", path: "/work/shop/b1.js", want: "none" },
  { pattern: "[z-a]", path: "/work/shop/[z-a]", want: "all" },
  { pattern: "{a,b}.js", path: "/work/shop/a.js", want: "none" },
  { pattern: "x\\*y", path: "/work/shop/x*y", want: "all" },
];

for (const { pattern, path, want } of cases) {
  test(`pattern ${pattern} says "${want}" of ${path}`, () => {
    equal(matchPattern(parseGlobPattern(pattern, place), path), want);
  });
}

test("what is below a match is meant too, when asked for, and the match itself is not meant twice", () => {
  const below = descendantsOf(parseGlobPattern("dist", place));
  equal(matchPattern(below, "/work/shop/dist"), "none");
  equal(matchPattern(below, "/work/shop/dist/deep/a.js"), "all");
});

test("only folders that can lead to a match are gone into", () => {
  const pattern = parseGlobPattern("src/*/dist/**", place);
  deepEqual(
    ["/", "/work", "/work/shop/src/a", "/work/shop/lib", "/work/shop/src/a/b", "/work/shop/src/a/dist/x"].map((path) =>
      mayMatchBelow(pattern, path),
    ),
    [true, true, true, false, false, true],
  );
});

test("search paths are the literal beginnings, without those below another", () => {
  const patterns = ["a/b/*.js", "a/**", "!a/c", "~/x"].map((line) => parseGlobPattern(line, place));
  deepEqual(searchPathsOf(patterns), ["/work/shop/a", "/home/ada/x"]);
});

test("a workspace whose name looks like a pattern is a name", () => {
  const pattern = parseGlobPattern("*.js", { cwd: "/work/[a]*", home: "/" });
  equal(matchPattern(pattern, "/work/[a]*/x.js"), "all");
  equal(pattern.searchPath, "/work/[a]*");
});

test("a pattern with .. is refused", () => {
  throws(() => parseGlobPattern("a/../b", place), /Relative pathing '\.' and '\.\.' is not allowed/);
});
