import { deepEqual, equal } from "node:assert/strict";
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

const files: readonly [string, ReturnType<typeof versionInFile>][] = [
  ["# c\nv20.1\n", { version: "v20.1" }],
  ["20\n", { version: "20" }],
  ["ruby 3\nnodejs 22.1.0\n", { version: "22.1.0" }],
  ['{"volta":{"node":"18","extends":"../package.json"},"engines":{"node":">=20"}}', { version: "18" }],
  ['{"devEngines":{"runtime":[{"name":"Node","version":"^24"}]}}', { version: "^24" }],
  ['{"devEngines":{"runtime":{"name":"deno","version":"2"}},"engines":{"node":">=20"}}', { version: ">=20" }],
  ['{"volta":{"extends":"../package.json"}}', { extends: "../package.json" }],
  ["{}", undefined],
  ["\n", undefined],
];
for (const [text, want] of files) {
  test(`a version file with ${JSON.stringify(text)} says ${JSON.stringify(want) ?? "nothing"}`, () => {
    deepEqual(versionInFile(text), want);
  });
}
