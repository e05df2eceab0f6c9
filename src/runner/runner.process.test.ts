import { deepEqual, equal, match, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock } from "#lib";
import type { JobAssignment } from "#workflows";
import { createRunner, type Runner, type RunnerOptions } from "./index.ts";
import { ControlFake, jobWith, logOf, logText, type JobRecord, type StepText, runnerOptions } from "./testing.ts";

const signal = AbortSignal.timeout(90_000);
const hostPath = (process.env["PATH"] ?? "")
  .split(":")
  .filter((folder) => !folder.includes("node_modules"))
  .join(":");

let folder = "";
let control: ControlFake;
let runner: Runner;
let running: Promise<void>;
const stop = new AbortController();

function options(workFolder: string): RunnerOptions {
  return runnerOptions(control, {
    labels: ["linux"],
    workFolder,
    concurrency: 2,
    baseEnv: { PATH: hostPath, HOME: folder, LANG: "C.UTF-8" },
  });
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "runner-"));
  control = new ControlFake();
  await control.start();
  runner = createRunner(options(join(folder, "work")));
  running = runner.run(stop.signal);
});
after(async () => {
  stop.abort();
  await running;
  await runner[Symbol.asyncDispose]();
  await control[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

let count = 0;
async function runJob(steps: readonly StepText[], more: Partial<JobAssignment> = {}): Promise<JobRecord> {
  const record = control.queue(jobWith(`job-${++count}`, steps, more));
  await control.until(record, ({ completed }) => completed !== undefined, signal);
  return record;
}

function conclusions(record: JobRecord): string[] {
  return (record.completed?.steps ?? []).map(({ name, outcome, conclusion }) =>
    outcome === conclusion ? `${name}: ${conclusion}` : `${name}: ${outcome} but ${conclusion}`,
  );
}

test("outputs, environment, paths and summaries go from step to step and out of the job", async () => {
  const record = await runJob(
    [
      {
        id: "one",
        name: "first ${{ github.actor }}",
        run: [
          'echo "greeting=hello $LEVEL" >> "$GITHUB_OUTPUT"',
          'printf "TEXT<<EOF\\na\\nb\\nEOF\\nLEVEL=changed\\n" >> "$GITHUB_ENV"',
          'mkdir -p "$RUNNER_TEMP/bin"; printf "#!/bin/sh\\necho tool\\n" > "$RUNNER_TEMP/bin/mytool"; chmod +x "$RUNNER_TEMP/bin/mytool"',
          'echo "$RUNNER_TEMP/bin" >> "$GITHUB_PATH"',
          'echo "# Done $PASSWORD hunter2-and-more" >> "$GITHUB_STEP_SUMMARY"',
          'test "$CI $GITHUB_ACTIONS $GITHUB_REPOSITORY $RUNNER_OS" = "true true acme/shop Linux"',
          'test -z "${GITHUB_TOKEN-}"; test "$PWD" = "$GITHUB_WORKSPACE"; grep -q 5 "$GITHUB_EVENT_PATH"',
        ].join("\n"),
      },
      {
        id: "two",
        env: { LEVEL: "step-${{ env.LEVEL }}" },
        run: 'mytool; echo "got=$LEVEL/$TEXT/${{ steps.one.outputs.greeting }}" | tr "\\n" , ',
      },
      { shell: "sh", workingDirectory: "${{ runner.temp }}", run: "pwd; echo ${{ hashFiles('**/none') }}." },
    ],
    { outputs: { greeting: "${{ steps.one.outputs.greeting }}", secret: "x${{ secrets.PASSWORD }}" } },
  );
  equal(record.completed?.conclusion, "success", logText(record, 2));
  deepEqual(conclusions(record).slice(0, 2), ["Set up job: success", "first ada: success"]);
  match(logText(record, 3), /^tool$/m);
  match(logText(record, 3), /got=step-changed\/a,b\/hello job/);
  deepEqual(record.completed?.outputs, { greeting: "hello job" }, "an output with a secret is not handed on");
  match(record.completed?.summary ?? "", /# Done {2}\*\*\*/);
  const lines = record.completed?.steps.map((step) => [step.logLines, record.logs.get(step.number)?.length ?? 0]);
  ok(
    lines?.every(([said, held]) => said === held),
    "each step says how long its log is",
  );
});

test("the files of a step are in its github context too, and a mistake in one keeps nothing else from counting", async () => {
  const record = await runJob([
    {
      id: "files",
      name: "files",
      run: [
        "echo a=1 >> ${{ github.output }}; printf 'bad\\nb=2\\n' >> ${{ github.output }}",
        "printf 'E=1\\nworse\\n' >> ${{ github.env }}; echo /opt/mine >> ${{ github.path }}",
        "echo s=1 >> ${{ github.state }}; echo told >> ${{ github.step_summary }}",
        "test ${{ github.output }} = $GITHUB_OUTPUT",
      ].join("\n"),
    },
    {
      if: "always()",
      name: "sees",
      run: 'echo "[${{ steps.files.outputs.a }}${{ steps.files.outputs.b }}$E] ${PATH%%:*}"',
    },
  ]);
  deepEqual(conclusions(record).slice(1, 3), ["files: failure", "sees: success"]);
  match(logOf(record, "sees"), /^\[11\] \/opt\/mine$/m);
  match(logOf(record, "files"), /"GITHUB_ENV": invalid format at "worse"/);
  match(logOf(record, "files"), /"GITHUB_OUTPUT": invalid format at "bad"/);
  match(record.completed?.summary ?? "", /told/);
});

test("a job in a file of Forgejo finds everything by Forgejo's names, and its token in every step", async () => {
  const at = { repository: "acme/shop", ref: "refs/heads/main", sha: "7".repeat(40) };
  const steps = [
    {
      id: "one",
      run: 'test "$FORGEJO_ACTIONS $GITEA_ACTIONS $FORGEJO_REPOSITORY" = "true true acme/shop"; echo a=1 >> $FORGEJO_OUTPUT',
    },
    {
      name: "sees",
      env: { GITHUB_TOKEN: "my own" },
      run: 'test "$FORGEJO_TOKEN" = "$WANTED" && test "$GITHUB_TOKEN" = "my own" && test -n "${{ env.FORGEJO_TOKEN }}"; echo "a=${{ steps.one.outputs.a }}"',
    },
    { name: "neither", run: 'test -z "$FORGEJO_ACTIONS$FORGEJO_TOKEN$GITHUB_TOKEN${{ env.GITHUB_TOKEN }}"' },
  ];
  const secrets = { GITHUB_TOKEN: "token-1", FORGEJO_TOKEN: "token-1" };
  const own = await runJob([steps[0] ?? {}, { ...steps[1], env: { ...steps[1]?.env, WANTED: "token-1" } }], {
    secrets,
    workflow: { ...at, path: ".forgejo/workflows/ci.yml" },
  });
  match(logOf(own, "sees"), /^a=1$/m);
  equal(own.completed?.conclusion, "success");
  const other = await runJob([steps[2] ?? {}], { secrets, workflow: { ...at, path: ".github/workflows/ci.yml" } });
  equal(other.completed?.conclusion, "success");
});

test("a step is called by the first line of its script, expressions over several lines filled in", async () => {
  const record = await runJob([
    { run: "\n  echo ${{\n  github.actor\n}}\necho more" },
    { run: "echo '${{ toJSON(matrix) }}'" },
    { name: "  two\nlines", run: "true" },
  ]);
  deepEqual(
    record.completed?.steps.slice(1, -1).map(({ name }) => name),
    ["Run echo ada", "Run echo '{}'", "two"],
  );
});

test("an expression stands for all of env, and the job knows the file it is written in", async () => {
  const workflow = { repository: "acme/shared", path: ".github/workflows/x.yml", ref: "v1", sha: "7".repeat(40) };
  const record = await runJob(
    [
      {
        env: { "${{ insert }}": '${{ fromJSON(\'{"ONE":"1","TWO":2}\') }}', THREE: "3" },
        run: 'echo "[$ONE$TWO$THREE] ${{ job.workflow_ref }}"',
      },
      { env: { "${{ insert }}": "${{ github.actor }}" }, run: "true", name: "wrong" },
    ],
    { workflow },
  );
  match(logText(record, 2), /^\[123\] acme\/shared\/\.github\/workflows\/x\.yml@v1$/m);
  match(logOf(record, "wrong"), /must be an object of names and values/);
});

test("a failed step fails the job, later steps are skipped but for those that want to run", async () => {
  const record = await runJob([
    { id: "soft", run: "exit 3", continueOnError: true, name: "soft" },
    { run: "test '${{ steps.soft.outcome }} ${{ steps.soft.conclusion }}' = 'failure success'", name: "sees outcome" },
    { run: "echo '::error file=src/a.ts,line=3,col=4,title=Broken::bad%0Athing'; exit 7", name: "hard" },
    { run: "true", name: "normal" },
    { run: "true", if: "always()", name: "always" },
    { run: "true", if: "failure()", name: "on failure" },
    { run: "true", if: "cancelled()", name: "on cancel" },
    { run: "true", if: "always() && fromJSON('nope')", name: "bad condition" },
  ]);
  deepEqual(conclusions(record), [
    "Set up job: success",
    "soft: failure but success",
    "sees outcome: success",
    "hard: failure",
    "normal: skipped",
    "always: success",
    "on failure: success",
    "on cancel: skipped",
    "bad condition: failure",
    "Complete job: success",
  ]);
  equal(record.completed?.conclusion, "failure");
  deepEqual(record.completed?.annotations[1], {
    level: "error",
    message: "bad\nthing",
    path: "src/a.ts",
    title: "Broken",
    startLine: 3,
    startColumn: 4,
    step: 4,
  });
  match(logOf(record, "hard"), /##\[error\]Process completed with exit code 7\.$/);
});

test("secrets, their encodings and added masks never reach the log", async () => {
  const record = await runJob([
    {
      name: "leak",
      env: { PASSWORD: "${{ secrets.PASSWORD }}" },
      run: [
        'echo "plain $PASSWORD"; echo -n "x:$PASSWORD" | base64; echo "$PASSWORD" >&2',
        'V=my-$((40 + 2))-added; echo "::add-mask::$V"; echo "now $V"',
        'printf "${PASSWORD:0:8}"; sleep 0.05; printf "${PASSWORD:8}\\n"',
        'echo "::stop-commands::tok-en-1"; echo "::error::not a command"; echo "::tok-en-1::"; echo "::warning::yes"',
      ].join("\n"),
    },
  ]);
  const log = logOf(record, "leak");
  equal(record.completed?.conclusion, "success", log);
  const base64 = Buffer.from("x:hunter2-and-more").toString("base64");
  ok(!log.includes("hunter2") && !log.includes(base64) && !log.includes("my-42-added"), log);
  match(log, /plain \*\*\*\n/);
  match(log, /^\*\*\*$/m);
  match(log, /^::error::not a command$/m);
  deepEqual(
    record.completed?.annotations.map((one) => one.message),
    ["yes"],
  );
});

test("what control is told of steps and annotations is masked like the log", async () => {
  const record = await runJob([
    { run: 'echo "${{ secrets.PASSWORD }}"' },
    { name: "x".repeat(90) + " ${{ secrets.PASSWORD }}", run: "true" },
    { run: 'echo "::error file=${{ secrets.PASSWORD }},title=${{ secrets.PASSWORD }}::${{ secrets.PASSWORD }}"' },
  ]);
  const told = JSON.stringify([record.steps, record.completed]);
  ok(!told.includes("hunter2"), told);
  const names = (record.completed?.steps ?? []).map(({ name }) => name);
  deepEqual(names.slice(1, 3), ['Run echo "***"', `${"x".repeat(90)} ***`]);
  const { message, path, title } = record.completed?.annotations[0] ?? {};
  deepEqual([message, path, title], ["***", "***", "***"]);
});

test("a step that takes too long fails and takes its children with it", async () => {
  const started = performance.now();
  const record = await runJob([
    {
      name: "slow",
      timeoutMinutes: 0.005,
      run: "trap '' INT\n(trap '' INT; exec -a runner-test-sleeper sleep 60) & wait",
    },
    { name: "after", if: "failure()", run: "! pgrep -f '^runner-test-sleepe[r]'" },
  ]);
  deepEqual(conclusions(record).slice(1, 3), ["slow: failure", "after: success"], logOf(record, "slow"));
  match(logOf(record, "slow"), /The action 'slow' has timed out after 0\.005 minutes\./);
  ok(performance.now() - started < 15_000);
});

test("a cancel interrupts the running step, always() steps still run, and the job ends cancelled", async () => {
  const record = control.queue(
    jobWith("cancelled-job", [
      { name: "long", run: "echo ready; sleep 60" },
      { name: "normal", run: "true" },
      { name: "clean up", if: "always()", run: "echo cleaned" },
    ]),
  );
  await control.until(record, (job) => logText(job, 2).includes("\nready"), signal);
  control.cancel(record);
  await control.until(record, ({ completed }) => completed !== undefined, signal);
  equal(record.completed?.conclusion, "cancelled");
  deepEqual(conclusions(record).slice(1, 4), ["long: cancelled", "normal: skipped", "clean up: success"]);
});

test("a background process of one step serves the next and is gone after the job", async () => {
  const record = await runJob([
    { name: "start", run: "sleep 987 & echo $! > pid; echo started" },
    { name: "use", run: "kill -0 $(cat pid); echo pid=$(cat pid)" },
  ]);
  equal(record.completed?.conclusion, "success", logOf(record, "use"));
  const pid = Number(/pid=(\d+)/.exec(logOf(record, "use"))?.[1]);
  const gone = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  ok(!gone.includes("987"));
  match(logOf(record, "Complete job"), /Ended 1 processes/);
});

test("composite and JavaScript actions get inputs, keep state, give outputs, and post in reverse order", async () => {
  const write = (path: string, lines: readonly string[]): string =>
    `mkdir -p "$(dirname ${path})"\ncat > ${path} <<'END_OF_FILE'\n${lines.join("\n").replaceAll("${{", "${{ '${{' }}")}\nEND_OF_FILE`;
  const record = await runJob([
    {
      name: "write actions",
      run: [
        write(".github/actions/js/action.yml", [
          "name: js",
          "inputs:",
          "  who to-greet: { required: true }",
          "  count: { default: 1.10 }",
          "runs: { using: node20, main: main.js, post: post.js }",
        ]),
        write(".github/actions/js/main.js", [
          "const fs = require('fs'), e = process.env;",
          "console.log('main', e['INPUT_WHO_TO-GREET'], e.INPUT_COUNT, e.GITHUB_ACTION_PATH.endsWith('actions/js'));",
          "fs.appendFileSync(e.GITHUB_STATE, 'name=' + e['INPUT_WHO_TO-GREET'] + '\\n');",
          "fs.appendFileSync(e.GITHUB_OUTPUT, 'said<<X\\nhi ' + e['INPUT_WHO_TO-GREET'] + '\\nX\\n');",
        ]),
        write(".github/actions/js/post.js", ["console.log('post', process.env.STATE_name)"]),
        write(".github/actions/both/action.yaml", [
          "name: both",
          "inputs: { first: { default: '${{ github.actor }}' } }",
          "outputs: { all: { value: '${{ steps.b.outputs.said }}!' } }",
          "runs:",
          "  using: composite",
          "  steps:",
          "    - { id: a, uses: ./.github/actions/js, with: { who to-greet: '${{ inputs.first }}' } }",
          "    - { id: b, uses: ./.github/actions/js, with: { who to-greet: '${{ env.WHO }}' } }",
          "    - { shell: sh, run: 'echo shell ${{ github.action_path }}' }",
        ]),
      ].join("\n"),
    },
    { id: "x", name: "both", uses: "./.github/actions/both", env: { WHO: "bob" } },
    { name: "check", run: "test '${{ steps.x.outputs.all }}' = 'hi bob!'" },
    { name: "direct", uses: "./.github/actions/js", with: { "Who To-Greet": "eve" } },
  ]);
  equal(record.completed?.conclusion, "success", JSON.stringify(conclusions(record)) + logOf(record, "both"));
  match(logOf(record, "both"), /main ada 1\.10 true\n/);
  const steps = record.completed?.steps ?? [];
  const posts = steps.filter((step) => step.name.startsWith("Post ")).map((step) => logText(record, step.number));
  deepEqual(posts, ["post eve", "post bob", "post ada"]);
});

test("an action that is not there fails the job before any step, naming its place", async () => {
  const record = await runJob([{ run: "true", name: "one" }, { uses: "nobody/has-this@v4" }]);
  deepEqual(conclusions(record).slice(0, 2), ["Set up job: failure", "one: skipped"]);
  match(
    record.completed?.annotations[0]?.message ?? "",
    /^\.github\/workflows\/ci\.yml:11:7: Cannot use "nobody\/has-this@v4": nobody has it/,
  );
});

test("shells: python, a custom one, an unknown one", async () => {
  const record = await runJob([
    { name: "python", shell: "python", run: "import os\nprint('py', os.environ['LEVEL'])" },
    { name: "custom", shell: "cat -n {0}", run: "line" },
    { name: "bad", shell: "fish-not-here", run: "x", continueOnError: true },
    { name: "pipefail", shell: "bash", run: "false | true", continueOnError: true },
    { name: "no pipefail", run: "false | true" },
    { name: "by name", run: "echo one > /dev/stderr; echo two | tee /dev/stderr > /dev/null; cat /dev/stdin" },
  ]);
  equal(record.completed?.conclusion, "success", logOf(record, "python"));
  match(logOf(record, "python"), /^py job$/m);
  match(logOf(record, "custom"), /1\s+line/);
  match(logOf(record, "bad"), /Invalid shell "fish-not-here"/);
  ok(conclusions(record).includes("pipefail: failure but success"));
  match(logOf(record, "by name"), /^one\ntwo$/m);
});

test("while control is away the job goes on, and nothing of its log is lost", async () => {
  const record = control.queue(
    jobWith("away", [
      { name: "count", run: `echo ready; while [ ! -e ${join(folder, "go")} ]; do sleep 0.02; done; seq 1 20000` },
    ]),
  );
  await control.until(record, (job) => logText(job, 2).includes("\nready"), signal);
  await control.stop();
  await writeFile(join(folder, "go"), "");
  await systemClock.sleep(400, signal);
  await control.start();
  await control.until(record, ({ completed }) => completed !== undefined, signal);
  const numbers = logText(record, 2)
    .split("\n")
    .filter((line) => /^\d+$/.test(line));
  deepEqual([numbers.length, numbers[0], numbers.at(-1)], [20_000, "1", "20000"]);
});

test("a job whose lease is lost is killed and forgotten", async () => {
  const record = control.queue(jobWith("lost", [{ name: "long", run: "echo ready; sleep 60" }]));
  await control.until(record, (job) => logText(job, 2).includes("\nready"), signal);
  control.lost.add("lost");
  const again = await runJob([{ name: "next", run: "true" }]);
  equal(again.completed?.conclusion, "success");
  equal(record.completed, undefined);
  equal(record.abandoned, undefined);
});

test("a runner that was killed abandons its job with what it had logged, and ends its processes", async () => {
  const other = new ControlFake();
  await other.start();
  await using _closed = other;
  const workFolder = join(folder, "killed");
  const { clock: _c, ids: _i, log: _l, ...config } = { ...options(workFolder), controlUrl: other.url };
  const file = join(folder, "config.json");
  await writeFile(file, JSON.stringify({ ...config, concurrency: 1 }), { mode: 0o600 });
  const main = join(import.meta.dirname, "process", "main.ts");
  const start = (): ReturnType<typeof spawn> =>
    spawn(process.execPath, [main, file], { stdio: ["ignore", "inherit", "inherit"] });
  const first = start();
  const record = other.queue(jobWith("held", [{ name: "long", run: "echo $$ > pid; echo pid=$$; sleep 60" }]));
  await other.until(record, (job) => /pid=\d+/.test(logText(job, 2)), signal);
  const pid = Number(/pid=(\d+)/.exec(logText(record, 2))?.[1]);
  first.kill("SIGKILL");
  await once(first, "exit");
  ok((await readFile(`/proc/${pid}/cmdline`, "utf8")).includes("bash"), "the step survived its runner");
  const second = start();
  await other.until(record, ({ abandoned }) => abandoned !== undefined, signal);
  match(record.abandoned?.reason ?? "", /restarted/);
  equal(await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""), "");
  second.kill("SIGTERM");
  deepEqual(await once(second, "exit"), [0, null]);
  deepEqual(await readdir(join(workFolder, "jobs")), []);
});

test("a runner killed before it has the answer to its claim gets the same job at its next start", async () => {
  await using other = new ControlFake();
  await other.start();
  const { clock: _c, ids: _i, log: _l, ...config } = { ...options(join(folder, "unheard")), controlUrl: other.url };
  const file = join(folder, "unheard.json");
  await writeFile(file, JSON.stringify({ ...config, concurrency: 1 }), { mode: 0o600 });
  const main = join(import.meta.dirname, "process", "main.ts");
  const start = (): ReturnType<typeof spawn> =>
    spawn(process.execPath, [main, file], { stdio: ["ignore", "ignore", "inherit"] });
  const first = start();
  const firstEnd = once(first, "exit");
  let given = 0;
  other.onGiven = async () => {
    given++;
    if (given > 1) return;
    first.kill("SIGKILL");
    await firstEnd;
  };
  const record = other.queue(jobWith("unheard", [{ name: "only", run: "echo done" }]));
  await firstEnd;
  const second = start();
  await other.until(record, ({ completed }) => completed !== undefined, signal);
  deepEqual([given, record.completed?.conclusion, record.abandoned], [2, "success", undefined]);
  second.kill("SIGTERM");
  await once(second, "exit");
});

test("a runner told to stop while control is away ends at once, and says so at its next start", async () => {
  await using other = new ControlFake();
  await other.start();
  const alone = { ...options(join(folder, "away")), controlUrl: other.url };
  const quit = new AbortController();
  await using first = createRunner(alone);
  const life = first.run(quit.signal);
  const record = other.queue(jobWith("away", [{ name: "long", run: "echo ready; sleep 60" }]));
  await other.until(record, (job) => logText(job, 2).includes("\nready"), signal);
  await other.stop();
  const beganMs = systemClock.monotonicMs();
  quit.abort();
  await life;
  ok(systemClock.monotonicMs() - beganMs < 1500, "it did not wait for control");
  await other.start();
  await using second = createRunner(alone);
  const enough = new AbortController();
  const next = second.run(enough.signal);
  await other.until(record, ({ abandoned }) => abandoned !== undefined, signal);
  enough.abort();
  await next;
});

test("problem matchers make annotations of what programs print, until they are taken away", async () => {
  const matcher = {
    problemMatcher: [
      {
        owner: "one",
        pattern: [{ regexp: "^(.+):(\\d+): (warning|error) (.+)$", file: 1, line: 2, severity: 3, message: 4 }],
      },
      {
        owner: "many",
        pattern: [
          { regexp: "^(\\S+)$", file: 1 },
          { regexp: "^ +(\\d+):(\\d+) +(.+)$", line: 1, column: 2, message: 3, loop: true },
        ],
      },
    ],
  };
  const print =
    "printf '\\033[31msrc/a.c:3: error bad hunter2-and-more\\033[0m\\n'; printf 'src/a.c\\n  1:2  first\\n  4:5  second\\n'";
  const record = await runJob([
    {
      name: "add",
      run: `mkdir -p src; touch src/a.c; echo '${JSON.stringify(matcher)}' > m.json; echo "##[add-matcher]m.json"; ${print}`,
    },
    { name: "later", run: `echo "::remove-matcher owner=many::"; echo elsewhere.c:9: warning careful; ${print}` },
    { name: "none", run: `echo "::remove-matcher owner=ONE::"; ${print}` },
    { name: "wrong", continueOnError: true, run: 'echo "::add-matcher::missing.json"' },
  ]);
  equal(record.completed?.conclusion, "success", logOf(record, "add"));
  const found = record.completed?.annotations.map(({ level, path, startLine, startColumn, message, step }) =>
    [step, level, path, startLine, startColumn, message].join(" "),
  );
  deepEqual(found, [
    "2 error src/a.c 3  bad ***",
    "2 error src/a.c 1 2 first",
    "2 error src/a.c 4 5 second",
    "3 warning  9  careful",
    "3 error src/a.c 3  bad ***",
    '5 error    Cannot read problem matchers of "missing.json": there is no such file',
    "5 error    A command of the step could not be processed",
  ]);
  match(logOf(record, "add"), /^##\[error\]src\/a\.c:3: error bad \*\*\*$/m);
});

test("hooks of the machine run around the steps of each job, and one that fails fails the job", async () => {
  await using other = new ControlFake();
  await other.start();
  const [started, completed] = [join(folder, "started.sh"), join(folder, "completed.sh")];
  await writeFile(started, 'echo "HOOKED=$GITHUB_REPOSITORY" >> "$GITHUB_ENV"; echo before; test ! -e stop');
  await writeFile(completed, "echo after $HOOKED; touch stop");
  const quit = new AbortController();
  const hooks = { started, completed };
  await using hooked = createRunner({
    ...options(join(folder, "hooked")),
    controlUrl: other.url,
    hooks,
    concurrency: 1,
  });
  const life = hooked.run(quit.signal);
  const vars = { ACTIONS_RUNNER_DEBUG: "true", ACTIONS_STEP_DEBUG: "true" };
  const contexts = { ...jobWith("x", []).contexts, vars };
  const record = other.queue(
    jobWith("hooked", [{ name: "see", run: "echo [$HOOKED] $RUNNER_DEBUG; echo ::debug::told" }], { contexts }),
  );
  await other.until(record, (job) => job.completed !== undefined, signal);
  equal(record.completed?.conclusion, "success");
  deepEqual(
    record.completed?.steps.map(({ name }) => name),
    ["Set up job", "Set up runner", "see", "Complete runner", "Complete job"],
  );
  match(logOf(record, "see"), /^\[acme\/shop\] 1\n##\[debug\]told$/m);
  match(logOf(record, "Complete runner"), /^after acme\/shop$/m);
  match(logOf(record, "Set up job"), /^##\[debug\]Folders: workspace=/m);
  await writeFile(started, "echo not today; exit 3");
  const failed = other.queue(jobWith("refused", [{ name: "never", run: "true" }]));
  await other.until(failed, (job) => job.completed !== undefined, signal);
  equal(failed.completed?.conclusion, "failure");
  equal(failed.completed?.steps.find(({ name }) => name === "never")?.conclusion, "skipped");
  quit.abort();
  await life;
});

test("on another machine the server's ports on loopback lead to the server", async () => {
  await using other = new ControlFake();
  await other.start();
  const free = createServer();
  free.listen(0, "127.0.0.1");
  await once(free, "listening");
  const { port } = free.address() as AddressInfo;
  free.close();
  await once(free, "close");
  const { clock: _c, ids: _i, log: _l, ...config } = { ...options(join(folder, "far")), controlUrl: other.url };
  const main = join(import.meta.dirname, "process", "main.ts");
  const child = spawn(process.execPath, [main], { stdio: ["pipe", "ignore", "inherit"] });
  child.stdin.end(JSON.stringify({ ...config, concurrency: 1, ports: [port] }));
  const ask = `exec 3<>/dev/tcp/127.0.0.1/${port}; printf 'POST /x HTTP/1.0\\r\\ncontent-length: 2\\r\\n\\r\\n{}' >&3; head -1 <&3`;
  const record = other.queue(jobWith("far", [{ name: "ask", shell: "bash", run: ask }]));
  await other.until(record, (job) => job.completed !== undefined, signal);
  match(logOf(record, "ask"), /^HTTP\/1\.1 401/m);
  child.kill("SIGTERM");
  await once(child, "exit");
});

test("finished jobs leave no files", async () => {
  stop.abort();
  await running;
  deepEqual(await readdir(join(folder, "work", "jobs")), []);
});
