import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { rooms } from "../rooms.ts";
import { importProblem } from "./rooms-rule.ts";

const root = join(import.meta.dirname, "..", "..");

test("the room table has no cycle", () => {
  const table: Readonly<Record<string, readonly string[]>> = rooms;
  const done = new Set<string>();
  function visit(room: string, path: readonly string[]): void {
    assert.ok(!path.includes(room), `cycle: ${[...path, room].join(" -> ")}`);
    if (done.has(room)) return;
    for (const next of table[room] ?? []) visit(next, [...path, room]);
    done.add(room);
  }
  for (const room of Object.keys(table)) visit(room, []);
});

const cases = [
  { name: "a package", file: "/r/src/kube/index.ts", specifier: "yaml", allowed: true },
  { name: "the own room", file: "/r/src/kube/server/a.ts", specifier: "../store/b.ts", allowed: true },
  { name: "an allowed front door", file: "/r/src/kube/index.ts", specifier: "#api", allowed: true },
  { name: "a room against the arrow", file: "/r/src/api/index.ts", specifier: "#kube", allowed: false },
  { name: "a sibling feature room", file: "/r/src/rollouts/plan.ts", specifier: "#router", allowed: false },
  { name: "another room by path", file: "/r/src/rollouts/plan.ts", specifier: "../lib/index.ts", allowed: false },
  {
    name: "a test helper from a source",
    file: "/r/src/rollouts/plan.ts",
    specifier: "../../test/support/x.ts",
    allowed: false,
  },
  { name: "any front door from a test", file: "/r/src/lib/a.test.ts", specifier: "#kube", allowed: true },
  { name: "a test double from a source", file: "/r/src/kube/a.ts", specifier: "#lib/testing", allowed: false },
  { name: "the types of the API from the console", file: "/r/console/src/a.tsx", specifier: "#api", allowed: true },
  { name: "any other room from the console", file: "/r/console/src/a.tsx", specifier: "#kube", allowed: false },
  { name: "the console's own parts", file: "/r/console/src/pages/a.tsx", specifier: "../parts/b.tsx", allowed: true },
  {
    name: "anything from outside the rooms",
    file: "/r/test/e2e/a.ts",
    specifier: "../../src/lib/index.ts",
    allowed: true,
  },
];
for (const { name, file, specifier, allowed } of cases) {
  test(`importing ${name} is ${allowed ? "allowed" : "refused"}`, () => {
    assert.equal(importProblem(file, specifier) === undefined, allowed);
  });
}

test("the linter really runs our rules: a file that breaks them fails", () => {
  const args = [
    "--no-ignore",
    "-c",
    join(root, "tools/lint/testdata/oxlintrc.json"),
    join(root, "tools/lint/testdata/src"),
  ];
  const result = spawnSync(join(root, "node_modules/.bin/oxlint"), args, {
    encoding: "utf8",
    env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"]}` },
  });
  assert.equal(result.status, 1, result.stdout + result.stderr);
  assert.match(result.stdout, /may not import room "kube"/);
  assert.match(result.stdout, /by a relative path/);
  assert.match(result.stdout, /Math\.random is banned/);
});
