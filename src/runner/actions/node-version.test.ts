import { equal } from "node:assert/strict";
import { test } from "node:test";
import { nodeRange, versionInFile } from "./node-version.ts";

const rows: readonly [string, string, boolean | undefined][] = [
  ["20", "20.11.1", true],
  ["20.x", "21.0.0", false],
  ["v20.11.1", "20.11.1", true],
  [">=18 <21", "20.0.0", true],
  ["lts/*", "22.1.0", true],
  ["lts/*", "21.1.0", false],
  ["lts/Iron", "20.1.0", true],
  ["latest", "26.0.0", true],
  ["node", "26.0.0", true],
  ["lts/nope", "1.0.0", undefined],
  ["rubbish", "1.0.0", undefined],
];
for (const [wanted, version, want] of rows) {
  test(`node-version ${wanted} ${want === undefined ? "means nothing" : `${want ? "takes" : "refuses"} ${version}`}`, () => {
    equal(nodeRange(wanted)?.fits(version), want);
  });
}

test("version files: nvmrc, tool-versions, package.json by volta, devEngines and engines", () => {
  equal(versionInFile("# c\nv20.1\n", ".nvmrc"), "v20.1");
  equal(versionInFile("ruby 3\nnodejs 22.1.0\n", ".tool-versions"), "22.1.0");
  equal(versionInFile('{"volta":{"node":"18"},"engines":{"node":">=20"}}', "package.json"), "18");
  equal(versionInFile('{"devEngines":{"runtime":[{"name":"node","version":"^24"}]}}', "a/package.json"), "^24");
  equal(versionInFile('{"engines":{"node":">=20"}}', "package.json"), ">=20");
});
