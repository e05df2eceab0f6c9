import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf } from "./commands.ts";

const cases: readonly (readonly [string, readonly string[]])[] = [
  ["npm ci && npm test; make | tee log", ["npm ci", "npm test", "make", "tee log"]],
  ["cargo \\\n  publish \\\n  --dry-run\nls", ["cargo publish --dry-run", "ls"]],
  ["cargo `\n  publish", ["cargo publish"]],
  ["echo 'npm publish; x' \"a && b\"", ["echo npm publish; x a && b"]],
  ["# npm publish\nls # gem push\nls", ["ls", "ls"]],
  ["CI=1 sudo env A=b gem push x", ["gem push x"]],
  ["if npm publish; then echo done; fi", ["npm publish", "echo done", "fi"]],
  ["x=$(npm view a version)", ["npm view a version"]],
  ["cat <<EOF > notes\nnpm publish\nEOF\nls", ["cat <<EOF > notes", "EOF", "ls"]],
  ["echo ${{ a || b }} x", ["echo _____________ x"]],
  ['echo "it\'s" a\\ b', ["echo its a\\ b"]],
];

test("here-documents without an end are read in time linear in them", () => {
  assert.equal(commandsOf("cat <<EOF\n".repeat(40_000)).length, 1);
});

for (const [script, expected] of cases) {
  test(`commands of ${JSON.stringify(script)}`, () => {
    const commands = commandsOf(script);
    assert.deepEqual(
      commands.map(({ words }) => words.join(" ")),
      expected,
    );
    for (const { words, offset } of commands) assert.ok(script.slice(offset).startsWith((words[0] ?? "")[0] ?? ""));
  });
}
