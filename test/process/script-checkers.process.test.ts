/** Programs that read scripts. With the real shellcheck: what it finds is at its place in the workflow. With one that misbehaves: it is said, in time. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { findProgram } from "#lib";
import { skipWithout } from "../support/needs.ts";
import { defaultPolicy, lintScripts, readPolicy, type Finding, type LintFile } from "#lint";

const searchPath = process.env["PATH"] ?? "";
const signal = new AbortController().signal;
const path = ".github/workflows/ci.yml";

function workflow(...scripts: readonly string[]): LintFile {
  const steps = scripts.map((script) => `      - run: ${script}\n`).join("");
  return { path, text: `on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n${steps}` };
}

const block = (text: string): string => `|\n${text.replaceAll(/^/gm, "          ")}`;

describe("shellcheck", { skip: skipWithout("shellcheck") }, () => {
  const program = findProgram("shellcheck", searchPath, "/") ?? "shellcheck";

  async function check(files: readonly LintFile[], policy = ""): Promise<readonly string[]> {
    const whole = readPolicy("lint.yml", policy).value ?? defaultPolicy;
    return (await lintScripts(files, whole, { programs: { shellcheck: program }, searchPath, signal })).map(
      ({ line, column, severity, message }: Finding) => `${line}:${column} ${severity} ${message.split(":")[0]}`,
    );
  }

  test("finds what is wrong in scripts, and says where in the file", async () => {
    const found = await check([
      workflow("echo $A", block('cd /tmp\nfor f in $(ls); do\n\techo "é😀" $f\ndone'), '"echo \\"x\\" $B"'),
    ]);
    assert.deepEqual(found, ["6:19 note SC2086", "9:20 error SC2045", "10:23 note SC2086", "12:26 note SC2086"]);
  });

  test("knows what a job has around its scripts", async () => {
    const knows = [
      // set -e of the runner, a file and a variable of the job, a value that only an expression has.
      "cd somewhere",
      block(`. ./env.sh\necho "$FROM_JOB"`),
      block(`if [ "\${{ matrix.a }}" = "b" ]; then echo c; fi`),
      block('for a in ${{ inputs.all }}; do echo "$a"; done'),
      block("if ${{ contains('a', 'b') }}; then echo c; fi"),
    ];
    assert.deepEqual(await check([workflow(...knows)]), []);
  });

  test("may be silenced by a comment, and weighed by the policy", async () => {
    const ignored = workflow("echo $A # tidegate: ignore[shellcheck] one word");
    assert.deepEqual(await check([ignored]), []);
    assert.deepEqual(await check([workflow("echo $A")], "rules: { shellcheck: { severity: error } }"), [
      "6:19 error SC2086",
    ]);
    assert.deepEqual(await check([workflow("echo $A")], "rules: { shellcheck: { allow: [SC2086] } }"), []);
    assert.deepEqual(await check([workflow("echo $A")], "rules: { shellcheck: { severity: off } }"), []);
  });

  test("is asked about hundreds of scripts, and says which is too long for it", async () => {
    const many = Array.from({ length: 300 }, () => "echo $A");
    assert.equal((await check([workflow(...many)])).length, 300);
    const long = await check([workflow(`echo ${"a".repeat(70_000)}`)]);
    assert.match(long.join(), /^6:14 note This script is not checked$/);
  });
});

describe("pyflakes", () => {
  const python = (script: string): LintFile => {
    const { text } = workflow(block(script));
    return { path, text: `${text}\n        shell: python\n` };
  };

  /** Says of every script what pyflakes 3 was seen to say, in its words' shape; columns are bytes. */
  async function asked(script: string, lines: readonly string[], code: number): Promise<readonly string[]> {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "tidegate-pyflakes-"));
    stack.defer(async () => await rm(folder, { recursive: true, force: true }));
    const program = join(folder, "pyflakes");
    const says = lines.map((line) => `echo "${line}" >&2`).join("\n");
    await writeFile(program, `#!/bin/sh\nfor file; do\n${says}\ndone\nexit ${code}\n`, { mode: 0o755 });
    const found = await lintScripts([python(script), workflow("import os")], defaultPolicy, {
      programs: { pyflakes: program },
      searchPath,
      signal,
    });
    return found.map(({ line, column, rule, message }) => `${line}:${column} ${rule} ${message}`);
  }

  test("is asked about scripts of Python, and what it says is at its place", async () => {
    const script = 'import os\nprint("é", what)\nprint("${{ a }}", ${{ a }})';
    const says = [
      "$file:1:1: 'os' imported but unused",
      "$file:2:13: undefined name 'what'",
      "$file:3:19: undefined name '________'",
    ];
    assert.deepEqual(await asked(script, says, 1), [
      "7:11 pyflakes 'os' imported but unused",
      "8:22 pyflakes undefined name 'what'",
    ]);
    const broken = await asked("print(", ["$file:1:6: '(' was never closed", "print(", "     ^"], 1);
    assert.deepEqual(broken, ["7:16 pyflakes '(' was never closed"]);
  });

  test("that fails is told of", async () => {
    const message = /no module named pyflakes. Turn it off with --pyflakes=/;
    await assert.rejects(asked("import os", ["no module named pyflakes"], 1), { code: "lint/script-checker", message });
  });
});

describe("a shellcheck that", () => {
  const cases: readonly [string, string, RegExp][] = [
    ["fails", "echo no such option >&2; exit 3", /it ended with 3: no such option\. Turn it off with --shellcheck=/],
    ["is too old", "echo '[]'", /0\.7 or newer is needed/],
    ["does not end", "exec sleep 600", /it took too long/],
  ];
  for (const [name, script, message] of cases) {
    test(`${name} is told of`, async () => {
      const folder = await mkdtemp(join(tmpdir(), "tidegate-shellcheck-"));
      const program = join(folder, "shellcheck");
      await writeFile(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const timeoutMs = name === "does not end" ? 300 : 60_000;
      const asked = lintScripts([workflow("echo $A")], defaultPolicy, {
        programs: { shellcheck: program },
        searchPath,
        signal,
        timeoutMs,
      });
      await assert.rejects(asked, { code: "lint/script-checker", message });
      await rm(folder, { recursive: true, force: true });
    });
  }
});
