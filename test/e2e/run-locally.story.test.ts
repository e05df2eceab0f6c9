/** Story: somebody runs the workflows of a working tree without a server, and sees what a push would bring. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cliCommand } from "../support/start-tidegate.ts";
import { type Finished, run } from "../support/run-command.ts";

const ci = `name: CI
on:
  push: { branches: [main] }
  workflow_dispatch: { inputs: { greeting: { default: hello } } }
jobs:
  build:
    runs-on: \${{ matrix.os }}
    strategy: { matrix: { os: [ubuntu-latest, windows-latest], part: [one, two] } }
    steps:
      - uses: actions/checkout@v4
      - uses: actions/cache@v4
        with: { path: tools, key: tools }
      - run: mkdir -p tools && echo "$PART with \${{ secrets.PASSWORD }}" >> tools/log
        env: { PART: "\${{ matrix.part }}" }
      - run: cat notes.txt && cat tools/log
      - uses: actions/upload-artifact@v4
        with: { name: "notes-\${{ matrix.part }}", path: notes.txt }
  report:
    needs: build
    uses: ./.github/workflows/report.yml
    with: { greeting: "\${{ inputs.greeting || 'pushed' }}" }
`;

const report = `on:
  workflow_call: { inputs: { greeting: { type: string } } }
jobs:
  say:
    runs-on: [self-hosted, gpu]
    steps:
      - uses: actions/checkout@v4
      - run: echo "\${{ inputs.greeting }} from \${{ github.ref_name }}"
      - run: grep -q good notes.txt
      - if: failure()
        run: echo tidied up
`;

describe("Given a repository with a workflow, a called one, and changes that are not committed", () => {
  let scratch = "";
  let folder = "";
  let env: Record<string, string> = {};

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), "tidegate-run-story-"));
    folder = join(scratch, "shop");
    env = { PATH: process.env["PATH"] ?? "", HOME: join(scratch, "user"), TMPDIR: scratch };
    await mkdir(join(scratch, "user"));
    await write(".github/workflows/ci.yml", ci);
    await write(".github/workflows/report.yml", report);
    await write("notes.txt", "committed\n");
    const author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    await git("init", "-q", "-b", "topic");
    await git("add", "-A");
    await git(...author, "commit", "-q", "-m", "Begin");
    await write("notes.txt", "bad, not committed\n");
  });
  after(async () => await rm(scratch, { recursive: true, force: true }));

  async function write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const git = (...args: readonly string[]): Promise<Finished> => run("git", args, { cwd: folder, env, code: 0 });

  function local(args: readonly string[], code: number): Promise<Finished> {
    const [file, all] = cliCommand(["run", ...args]);
    return run(file, all, { env: { ...env, PASSWORD: "tell-nobody" }, cwd: folder, code });
  }

  test("when all of it is run, then the failing step of the called workflow is told with what came before it", async () => {
    const { stdout } = await local(["-s", "PASSWORD"], 1);
    assert.match(stdout, /build \(ubuntu-latest, one\) +│ {3}bad, not committed/);
    assert.match(stdout, /build \(ubuntu-latest, two\) +│ {3}two with \*\*\*/);
    assert.match(stdout, /build \(windows-latest, one\) +│ - job was skipped: Asks for "windows-latest"/);
    assert.match(stdout, /report \/ say +│ {3}pushed from topic/);
    assert.match(stdout, /report \/ say +│ ✗ Run grep -q good notes\.txt/);
    assert.match(stdout, /report \/ say +│ {3}tidied up/);
    const [, file = ""] = /^artifact notes-two \(.+\): (.+\.zip)$/m.exec(stdout) ?? [];
    assert.match((await readFile(file)).subarray(0, 4).toString("latin1"), /^PK/);
    assert.match(stdout, /✗ CI failed: .*report \/ say/);
    assert.doesNotMatch(stdout, /tell-nobody/);
  });

  test("when it runs again, then it finds the cache that the run before has left", async () => {
    const { stdout } = await local(["-s", "PASSWORD", "-j", "build", "--matrix", "part:two"], 0);
    assert.match(stdout, /│ {3}(?:one|two) with \*\*\*\n.*│ {3}two with \*\*\*/);
    assert.doesNotMatch(stdout, /report/);
  });

  test("when one job is asked for by hand with JSON, then each line is a value and the last is the result", async () => {
    await write("notes.txt", "good\n");
    const { stdout } = await local(["workflow_dispatch", "--input", "greeting=hi", "--json"], 0);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string; text?: string });
    assert.ok(lines.some((line) => line.kind === "line" && line.text === "hi from topic"));
    assert.equal(lines.at(-1)?.kind, "result");
  });

  test("when a dispatch is told by a file, then the event has its inputs and the defaults, as text", async () => {
    const inputs =
      "inputs: { debug: { type: boolean, default: false }, count: { type: number }, name: { default: x } }";
    const say =
      "run: \"echo '${{ github.event.inputs.debug == 'true' }} ${{ inputs.debug }} ${{ github.event.inputs.name }}'\"";
    await write(
      "asked.yml",
      `on: { workflow_dispatch: { ${inputs} } }\njobs: { a: { runs-on: x, steps: [{ ${say} }] } }\n`,
    );
    await write("event.json", JSON.stringify({ inputs: { debug: true, count: 3 } }));
    const { stdout } = await local(["-W", "asked.yml", "-e", "event.json"], 0);
    assert.match(stdout, /│ {3}true true x$/m);
  });

  test("when the folder is bound, then steps work in it, and checkout takes nothing away", async () => {
    await write("ignored/.gitignore", "*\n");
    await write(
      "by-hand.yml",
      "on: push\njobs: {a: {runs-on: x, steps: [{uses: actions/checkout@v4}, {run: echo x > made}]}}",
    );
    await local(["-W", "by-hand.yml", "--bind"], 0);
    assert.equal(await readFile(join(folder, "made"), "utf8"), "x\n");
    assert.equal(await readFile(join(folder, "ignored/.gitignore"), "utf8"), "*\n");
  });

  test("when only asked what would run, then jobs and steps are named and nothing runs", async () => {
    const { stdout } = await local(["-n", "--matrix", "part:one"], 0);
    assert.match(stdout, /^build \(ubuntu-latest, one\)\n {2}actions\/checkout@v4\n/m);
    assert.match(stdout, /^report \/ say\n/m);
    const listed = await local(["--list"], 0);
    assert.match(listed.stdout, /^report +report +\.github\/workflows\/ci\.yml +build +push,workflow_dispatch$/m);
  });

  test("when a file is wrong, then each mistake is told with its place; when nothing fits, then what there is", async () => {
    await write("wrong.yml", "on: push\njobs:\n  a:\n    runs-on: x\n    needs: b\n    steps:\n      - run: make\n");
    const wrong = await local(["-W", "wrong.yml"], 1);
    assert.match(wrong.stdout, /^wrong\.yml:5:12: needs: Job "a" needs "b"/m);
    await write("drafts/good.yml", "on: push\njobs: { a: { runs-on: x, steps: [{ run: echo ran }] } }\n");
    await write("drafts/broken.yml", "on: push\njobs: { a: { runs-on: x {0} } }\n");
    const both = await local(["-W", "drafts"], 1);
    assert.match(both.stderr, /^drafts\/broken\.yml:2:25: Not valid YAML: [^\n]*\n$/, "once, and of the broken one");
    assert.match(both.stdout, /│ {3}ran$/m);
    const alone = await local(["-W", "drafts/broken.yml"], 1);
    assert.match(alone.stderr, /^error: No workflow can be read:\ndrafts\/broken\.yml:2:25: /);
    const { stderr } = await local(["nothing"], 2);
    assert.match(stderr, /"nothing" is no workflow and no event\. Workflows are ci\.yml, report\.yml; events /);
    assert.match((await local(["pussh"], 2)).stderr, /Did you mean "push"\?/);
    assert.match((await local(["ci.yml", "-j", "biuld"], 2)).stderr, /Did you mean "build"\?/);
    // A mistyped key would leave out no combination, and run them all.
    await write(
      "matrix.yml",
      "on: push\njobs: { a: { strategy: { matrix: { node: [20, 22] } }, runs-on: x, steps: [{ run: echo ran }] } }\n",
    );
    const mistyped = await local(["-W", "matrix.yml", "--matrix", "nde:20"], 2);
    assert.match(mistyped.stderr, /No job has "nde" in its matrix\. Keys are node\. Did you mean "node"\?/);
    assert.doesNotMatch(mistyped.stdout, /ran/);
    const inputs = await local(["-W", "matrix.yml", "--input", "a=b"], 2);
    assert.match(inputs.stderr, /"push" takes no inputs\. Leave them out, or start a workflow by workflow_dispatch/);
    const nowhere = await local(["-C", join(folder, "nowhere")], 2);
    assert.match(nowhere.stderr, /there is no such folder/);
    const listed = await local(["-W", "matrix.yml", "--list", "pull_request"], 2);
    assert.match(listed.stderr, /No workflow is started by "pull_request": it is by push/);
  });

  test("when all is done, then the repository is as it was", async () => {
    await rm(join(folder, "made"));
    const { stdout } = await git("log", "--oneline", "--all");
    assert.match(stdout, /^\w+ Begin\n$/);
    assert.match((await git("diff", "--cached", "--name-only")).stdout, /^$/);
  });
});
