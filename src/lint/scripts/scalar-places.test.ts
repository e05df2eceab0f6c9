import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { readDocument } from "../document.ts";
import { scalarPlaces } from "./scalar-places.ts";
import { shellScripts, type ShellScript } from "./shell-scripts.ts";

function scriptIn(text: string): ShellScript {
  const document = readDocument(".github/workflows/ci.yml", "workflow", text).value;
  assert.ok(document !== undefined, text);
  const [script] = shellScripts(document);
  assert.ok(script !== undefined, text);
  return script;
}

const styles = ["BLOCK_LITERAL", "BLOCK_FOLDED", "QUOTE_SINGLE", "QUOTE_DOUBLE", "PLAIN"] as const;
const letters = ["a", "'", '"', "\\", "$", "#", "é", "😀", "\u00a0", "\u001b", " ", "\t", "\n", "\n\n", ": ", "word "];

test("every character of a script is found in its file, however the script is written", () => {
  const scripts = fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 120 });
  fc.assert(
    fc.property(scripts, fc.constantFrom(...styles), fc.integer({ min: 24, max: 60 }), (parts, style, width) => {
      const run = `x${parts.join("")}`;
      // The writer may fold within what takes two UTF-16 units, which no file can hold.
      const lineWidth = run.includes("😀") ? 0 : width;
      const steps = { jobs: { a: { "runs-on": "linux", steps: [{ run }] } } };
      const script = scriptIn(stringify(steps, { defaultStringType: style, defaultKeyType: "PLAIN", lineWidth }));
      const { value } = script.node;
      const { lines } = script.document;
      const placeOf = scalarPlaces(lines, script.node);
      let before = { line: 0, column: 0 };
      let offset = 0;
      for (const character of value) {
        const place = placeOf(offset);
        offset += character.length;
        assert.ok(place.line > before.line || place.column >= before.column);
        if (/^\s$/.test(character) && character !== "\u00a0") continue;
        assert.ok(place.line > before.line || place.column > before.column);
        before = place;
        const there = (lines[place.line - 1] ?? "").slice(place.column - 1);
        assert.ok(there.startsWith(character) || there.startsWith("\\"), there);
      }
      const end = placeOf(value.length);
      assert.ok(end.column <= (lines[end.line - 1] ?? "").length + 1);
    }),
  );
});

test("scripts are those that bash, sh or Python runs, with expressions as words", () => {
  const workflow = (job: string, step: string, top = ""): string =>
    `on: push\n${top}jobs:\n  a:\n${job}    steps:\n      - run: echo \${{ a }}"\n        if: always()\n${step}`;
  const cases: readonly [string, string, string | undefined][] = [
    ["bash unless said", workflow("    runs-on: ubuntu-latest\n", ""), "bash"],
    ["what the step says", workflow("    runs-on: windows-2022\n", "        shell: sh\n"), "sh"],
    ["a command of its own", workflow("    runs-on: a\n", "        shell: bash -el {0}\n"), "bash"],
    ["what the job says", workflow("    runs-on: a\n    defaults: { run: { shell: sh } }\n", ""), "sh"],
    ["what the workflow says", workflow("    runs-on: a\n", "", "defaults: { run: { shell: sh } }\n"), "sh"],
    ["not PowerShell of Windows", workflow("    runs-on: [self-hosted, windows]\n", ""), undefined],
    ["Python", workflow("    runs-on: a\n", "        shell: python\n"), "python"],
    ["not what a program of its own runs", workflow("    runs-on: a\n", "        shell: perl {0}\n"), undefined],
    ["not what nobody knows yet", workflow("    runs-on: a\n", "        shell: ${{ matrix.shell }}\n"), undefined],
  ];
  for (const [name, text, want] of cases) {
    const document = readDocument(".github/workflows/ci.yml", "workflow", text).value;
    assert.ok(document !== undefined);
    const [script] = shellScripts(document);
    assert.equal(script?.shell, want, name);
    if (script !== undefined) assert.equal(script.text, 'echo ________"');
  }
});
