/** With the real shellcheck: what it finds is at its place in the workflow. With one that misbehaves: it is said, in time. */
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
    return (await lintScripts(files, whole, { program, searchPath, signal })).map(
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
      const asked = lintScripts([workflow("echo $A")], defaultPolicy, { program, searchPath, signal, timeoutMs });
      await assert.rejects(asked, { code: "lint/shellcheck", message });
      await rm(folder, { recursive: true, force: true });
    });
  }
});
