/** Story: actions of other repositories, here and on another host; pinned, and used when that host is gone. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { ActionDetail, ActionUse, RunDetail, RunSummary } from "#api";
import { startGitHost, type GitHost } from "../support/git-host.ts";
import { skipWithout } from "../support/needs.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { until } from "../support/until.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

/** Each stage says what it is and what the stage before left; `state` goes from one to the next. */
const stage = (name: string): string => `
const { appendFileSync } = require("node:fs");
console.log("${name} of", process.env.INPUT_WHO, "after", process.env.STATE_stages ?? "nothing");
appendFileSync(process.env.GITHUB_STATE, "stages=" + (process.env.STATE_stages ?? "") + "${name},\\n");
if ("${name}" === "main") appendFileSync(process.env.GITHUB_OUTPUT, "greeting=hello " + process.env.INPUT_WHO + "\\n");
`;

const greeter = {
  "action.yml": `
name: Greeter
inputs: { who: { default: nobody } }
outputs: { greeting: {} }
runs: { using: node24, pre: pre.js, main: main.js, post: post.js, post-if: "env.SILENT != 'yes'" }
`,
  "pre.js": stage("pre"),
  "main.js": stage("main"),
  "post.js": stage("post"),
};

const party = {
  "party/action.yml": `
name: Party
inputs: { guest: { required: true } }
outputs: { said: { value: "\${{ steps.inner.outputs.greeting }} and \${{ steps.own.outputs.text }}" } }
runs:
  using: composite
  steps:
    - { id: inner, uses: far/greeter@v1, with: { who: "\${{ inputs.guest }}" } }
    - { id: own, uses: $/helper }
`,
  "helper/action.yml": `
name: Helper
outputs: { text: { value: "\${{ steps.here.outputs.text }}" } }
runs:
  using: composite
  steps:
    - { id: here, shell: bash, run: 'echo "text=$(cat "$GITHUB_ACTION_PATH/../word")" >> "$GITHUB_OUTPUT"' }
`,
  word: "goodbye\n",
};

const workflow = `
name: Guests
on: push
jobs:
  invite:
    runs-on: ubuntu-latest
    steps:
      - { id: party, uses: acme/tools/party@v1, with: { guest: ada } }
      - { uses: far/greeter@v1, with: { who: bob } }
      - { uses: $/.github/actions/own }
      - run: 'echo "said: \${{ steps.party.outputs.said }}"'
`;

const own = `
name: Own
runs: { using: composite, steps: [{ shell: bash, run: echo of the workflow itself }] }
`;

describe("Given actions of other repositories", { skip: skipWithout("git") }, () => {
  let tidegate: Tidegate;
  let host: GitHost;
  let work: WorkCopy;
  let tools: WorkCopy;
  let greeterSha = "";
  before(async () => {
    tidegate = await startTidegate({ jobs: 1 });
    host = await startGitHost(join(tidegate.scratch, "far"), tidegate.env);
    await writeFile(join(tidegate.home, "actions.yml"), `hosts: ["${host.url}"]\n`);
    greeterSha = await host.publish("far/greeter", "v1", greeter);
    work = await newRepository(tidegate, "acme/shop");
    tools = await newRepository(tidegate, "acme/tools");
    await tools.push("first", party);
    await tools.git(["push", "--quiet", "origin", "HEAD:refs/tags/v1"]);
  });
  after(async () => {
    await host[Symbol.asyncDispose]();
    await tidegate[Symbol.asyncDispose]();
  });

  const completed = (sha: string): Promise<RunDetail> =>
    until(tidegate, "the run's end", async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs");
      const run = items.find((one) => one.sha === sha);
      if (run?.status === "completed") return await tidegate.api<RunDetail>(`/runs/${run.id}`);
      throw new Error(`The runs are ${JSON.stringify(items)}`);
    });
  const log = async (run: RunSummary): Promise<string> => (await tidegate.cli(["logs", run.id])).stdout;
  const pushed = async (message: string, files: Readonly<Record<string, string>> = {}) => {
    const { sha, said } = await work.push(message, files);
    const run = await completed(sha);
    return { run, said, log: await log(run) };
  };

  test("when a job uses them, then all their stages run in order, and the log says where they are from", async () => {
    const files = { ".github/workflows/guests.yml": workflow, ".github/actions/own/action.yml": own };
    const { run, log: text } = await pushed("guests", files);
    assert.equal(run.conclusion, "success", text);
    assert.match(text, new RegExp(`Action far/greeter@v1: ${host.url}/far/greeter, v1 is ${greeterSha}`));
    assert.match(text, /Action acme\/tools\/party@v1: acme\/tools of this server, v1 is [0-9a-f]{40}/);
    assert.match(text, /said: hello ada and goodbye/);
    assert.match(text, /of the workflow itself/);
    const stages = text.split("\n").flatMap((line) => /(?:pre|main|post) of \w+ after \S+/.exec(line)?.[0] ?? []);
    assert.deepEqual(stages, [
      "pre of ada after nothing",
      "pre of bob after nothing",
      "main of ada after pre,",
      "main of bob after pre,",
      "post of bob after pre,main,",
      "post of ada after pre,main,",
    ]);
    const [job] = run.jobs;
    assert.deepEqual(
      job?.actions?.map(({ uses, source, sha }) => [uses, source, sha === greeterSha]),
      [
        ["$/.github/actions/own", "local", false],
        ["acme/tools/party@v1", "local", false],
        ["far/greeter@v1", "remote", true],
      ],
    );
  });

  test("when a workflow of the other host is called, then its own actions come with it", async () => {
    const flow = `
on: { workflow_call: { inputs: { to: { type: string } } } }
jobs:
  hello:
    runs-on: ubuntu-latest
    steps: [{ uses: $/wave }, { run: "echo hello \${{ inputs.to }}" }]
  more: { uses: ./.github/workflows/more.yml }
`;
    const more = "on: workflow_call\njobs: { one: { runs-on: ubuntu-latest, steps: [{ run: echo one more }] } }\n";
    const wave = "runs: { using: composite, steps: [{ shell: bash, run: echo waves }] }\n";
    await host.publish("far/flows", "v1", {
      ".github/workflows/hello.yml": flow,
      ".github/workflows/more.yml": more,
      "wave/action.yml": wave,
    });
    const call = "{ uses: far/flows/.github/workflows/hello.yml@v1, with: { to: ada } }";
    const files = { ".github/workflows/guests.yml": `on: push\njobs: { call: ${call} }\n` };
    const { run, log: text } = await pushed("call", files);
    assert.equal(run.conclusion, "success", JSON.stringify(run.problems) + text);
    for (const said of [/^hello ada$/m, /^waves$/m, /^one more$/m]) assert.match(text, said);
    await work.push("back", { ".github/workflows/guests.yml": workflow });
  });

  test("when its host is gone, then jobs go on with what is kept, and what is not says what to do", async () => {
    await host.stop();
    const again = await pushed("offline");
    assert.equal(again.run.conclusion, "success", again.log);
    const files = {
      ".github/workflows/guests.yml": workflow.replace(
        "far/greeter@v1, with: { who: bob",
        "far/other@v2, with: { who: bob",
      ),
    };
    const missing = await pushed("unknown", files);
    assert.equal(missing.run.conclusion, "failure");
    const said = /guests\.yml:9:\d+: Cannot use "far\/other@v2": Cannot fetch "v2" of "http:.*: Failed to connect.*/s;
    assert.match(missing.log, said);
    assert.match(missing.log, /tidegate actions fetch far\/other@v2/);
    await host.start();
  });

  test("when they are locked, then the lock says what runs, and a tag that moves stops the job at its line", async () => {
    await work.push("back", { ".github/workflows/guests.yml": workflow });
    const locked = await tidegate.cli(["actions", "lock", "acme/shop", "--dir", work.folder]);
    assert.match(locked.stdout, new RegExp(`\\+ far/greeter@v1 is ${greeterSha}`));
    const lock = await readFile(join(work.folder, ".tidegate", "actions.lock"), "utf8");
    assert.match(lock, /"acme\/tools@v1":\n {4}commit: "[0-9a-f]{40}"\n {4}digest: sha256:[0-9a-f]{64}\n/);
    const good = await pushed("lock");
    assert.equal(good.run.conclusion, "success", good.log);
    assert.match(good.log, /Action far\/greeter@v1: .*, as \.tidegate\/actions\.lock:\d+:3 says/);
    await tidegate.cli(["actions", "lock", "acme/shop", "--dir", work.folder, "--check"]);

    const moved = await host.publish("far/greeter", "v1", { word: "changed" });
    const fetched = await tidegate.cli(["actions", "fetch", "far/greeter@v1", "--json"]);
    assert.deepEqual(
      (JSON.parse(fetched.stdout) as ActionDetail[]).map(({ sha }) => sha),
      [moved],
    );
    const bad = await pushed("moved");
    assert.equal(bad.run.conclusion, "failure");
    const refusal = new RegExp(`the tag is ${moved} now, and \\.tidegate/actions\\.lock:\\d+:3 says ${greeterSha}`);
    assert.match(bad.log, refusal);
    const update = ["actions", "lock", "acme/shop", "--dir", work.folder, "--update", "far/greeter"];
    assert.match((await tidegate.cli(update)).stdout, new RegExp(`~ far/greeter@v1 was ${greeterSha}, is ${moved}`));
    const mended = await pushed("mended");
    assert.equal(mended.run.conclusion, "success", mended.log);
  });

  test("when a digest is not that of the files, then the job ends before its first step", async () => {
    const path = join(work.folder, ".tidegate", "actions.lock");
    const lock = await readFile(path, "utf8");
    const forged = lock.replace(
      /(acme\/tools@v1":\n.*\n {4}digest: sha256:)./,
      (_all, before) => `${before}${lock.includes("sha256:0") ? "1" : "0"}`,
    );
    const { run, log: text } = await pushed("forged", { ".tidegate/actions.lock": forged });
    assert.equal(run.conclusion, "failure");
    assert.match(text, /actions\.lock:\d+:3 says that the files of [0-9a-f]{40} have the digest sha256:/);
    await work.push("right", { ".tidegate/actions.lock": lock });
  });

  test("when the policy forbids one, then the pusher is told, and the job does not run", async () => {
    const policy = "deny: [far/*]\norder: [local, remote]\n";
    const { run, said, log: text } = await pushed("deny", { ".tidegate/actions.yml": policy });
    assert.match(said, /guests\.yml:9:\d+: uses: "far\/greeter@v1": \.tidegate\/actions\.yml denies "far\/\*"/);
    assert.equal(run.conclusion, "failure");
    assert.match(text, /Cannot use "far\/greeter@v1": \.tidegate\/actions\.yml denies/);
    const wrong = await work.push("wrong", { ".tidegate/actions.yml": "order: [cloud]\n" });
    assert.match(
      wrong.said,
      /\.tidegate\/actions\.yml:1:8: order: Must be some of built-in, local, remote, not "cloud"/,
    );
    await work.push("none", { ".tidegate/actions.yml": "" });
  });

  test("when it is another owner's, then it has to be shared first", async () => {
    const other = await newRepository(tidegate, "other/things");
    await other.push("first", { "action.yml": own });
    const files = {
      ".tidegate/actions.lock": "",
      ".github/workflows/guests.yml":
        "on: push\njobs:\n  a: { runs-on: ubuntu-latest, steps: [{ uses: other/things@main }] }\n",
    };
    const before = await pushed("other", files);
    assert.match(
      before.log,
      /"other\/things" does not let others use it\. Share it: tidegate workflow share other\/things/,
    );
    await tidegate.cli(["workflow", "share", "other/things"]);
    const shared = await pushed("shared");
    assert.equal(shared.run.conclusion, "success", shared.log);
    const { stdout } = await tidegate.cli(["actions", "list", "acme/shop", "--json"]);
    assert.deepEqual(
      (JSON.parse(stdout) as ActionUse[]).map(({ uses, source }) => [uses, source]),
      [["other/things@main", "local"]],
    );
    const shown = await tidegate.cli(["actions", "show", "other/things@main", "--repository", "acme/shop"]);
    assert.match(shown.stdout, /from {7}other\/things here\nref {8}refs\/heads\/main\n/);
    const kept = await tidegate.cli(["actions", "list"]);
    assert.match(kept.stdout, /far\/greeter +v1 +tag/);
  });
});
