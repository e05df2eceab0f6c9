/** Story: dangerous workflow files are told of before they run, on the desk and at the push, as strictly as the team wants. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { cliCommand, startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { type Finished, run } from "../support/run-command.ts";
import { until } from "../support/until.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

function workflow(script: string): string {
  return `name: CI
on: push
permissions: {}
jobs:
  answer:
    runs-on: ubuntu-latest
    steps:
      - run: ${script}
`;
}

const path = ".github/workflows/answer.yml";
const dangerous = workflow('echo "${{ github.event.head_commit.message }}"');
const harmless = workflow("echo thanks");

describe("Given a repository with workflows", () => {
  let tidegate: Tidegate;
  let copy: WorkCopy;

  before(async () => {
    tidegate = await startTidegate();
    copy = await newRepository(tidegate, "acme/shop");
    await copy.push("Answer issues", { [path]: harmless });
  });
  after(async () => await tidegate[Symbol.asyncDispose]());

  function lint(args: readonly string[], code: number): Promise<Finished> {
    const [file, all] = cliCommand(["lint", ...args]);
    return run(file, all, { env: tidegate.env, cwd: copy.folder, code });
  }

  test("when nothing is wrong, then linting says so and ends with 0", async () => {
    const { stdout } = await lint([], 0);
    assert.equal(stdout, "1 file: nothing found\n");
  });

  test("when a script takes in what strangers write, then linting names the place and the remedy and ends with 1", async () => {
    await copy.commit("Greet", { [path]: dangerous });
    const { stdout } = await lint([], 1);
    assert.match(
      stdout,
      /^\.github\/workflows\/answer\.yml:8:20: error: .*anyone can choose it.*"env".*\[template-injection\]$/m,
    );
    const json = JSON.parse((await lint(["--json"], 1)).stdout) as { rule: string; line: number }[];
    assert.deepEqual(
      json.map(({ rule, line }) => [rule, line]),
      [["template-injection", 8]],
    );
    const sarif = JSON.parse((await lint(["--format", "sarif", "--fail-on", "never"], 0)).stdout) as {
      version: string;
      runs: [{ results: { ruleId: string }[] }];
    };
    assert.equal(sarif.version, "2.1.0");
    assert.equal(sarif.runs[0].results[0]?.ruleId, "template-injection");
  });

  test("when it is pushed without a policy, then the pusher is warned, once, and the push stands", async () => {
    const first = await copy.push("Greet again");
    assert.match(first.said, /1 new finding in workflow files/);
    assert.match(first.said, /answer\.yml:8:20: .*\[template-injection\]/);
    const second = await copy.push("Something else", { "README.md": "hello\n" });
    assert.doesNotMatch(second.said, /finding/);
    // The run of it says so too, each time, and runs: it is told once the run has begun.
    interface Run {
      readonly problems: readonly { message: string; severity: string; at: { file: string; line: number } }[];
      readonly jobs: readonly object[];
    }
    const { items } = await tidegate.api<{ items: { id: string }[] }>("/runs?limit=1");
    const { problems, jobs } = await until(tidegate, "what the linter says of the run", async () => {
      const run = await tidegate.api<Run>(`/runs/${items[0]?.id}`);
      return run.problems.length > 0 ? run : undefined;
    });
    assert.deepEqual(
      problems.map(({ severity, at }) => [severity, at.file, at.line]),
      [["warning", path, 8]],
    );
    assert.match(problems[0]?.message ?? "", /\[template-injection\]$/);
    assert.equal(jobs.length, 1);
  });

  test("when the policy blocks errors, then a push that adds one is refused and leaves nothing, and one without it stands", async () => {
    await copy.push("Be strict", { [path]: harmless, ".tidegate/lint.yml": "block: error\n" });
    // The policy of the branch as it is counts: a push cannot loosen it for itself.
    const sha = await copy.commit("Greet, and hope", { [path]: dangerous, ".tidegate/lint.yml": "block: never\n" });
    const { stderr } = await copy.git(["push", "origin", "HEAD:main"], 1);
    assert.match(
      stderr,
      /lint policy: 1 of severity "error" or worse, e\.g\. template-injection at \.github\/workflows\/answer\.yml:8/,
    );
    assert.doesNotMatch((await copy.git(["ls-remote", "origin"])).stdout, new RegExp(sha));
    await copy.commit("Do not", { [path]: workflow("echo welcome") });
    await copy.git(["push", "origin", "HEAD:main"]);
  });

  test("when the repository has told zizmor and actionlint what it lets pass, then the desk and the push hear it", async () => {
    const unpinned = workflow("echo welcome").replace("    steps:", "    steps:\n      - uses: acme/tool@v1");
    assert.match((await copy.push("Use a tool", { [path]: unpinned })).said, /1 new finding/);
    await copy.push("Let tags pass", {
      [path]: workflow("echo welcome"),
      ".github/zizmor.yml": "rules: { unpinned-uses: { config: { policies: { 'acme/*': ref-pin } } } }\n",
      ".github/actionlint.yaml": "self-hosted-runner: { labels: [gpu] }\n",
    });
    const again = await copy.push("Use it again", { [path]: unpinned.replace("ubuntu-latest", "gpu") });
    assert.doesNotMatch(again.said, /finding/);
    assert.equal((await lint([], 0)).stdout, "1 file: nothing found\n");
  });

  test("when the policy itself is wrong, then the pusher is told where", async () => {
    const { said } = await copy.push("Mistype", { ".tidegate/lint.yml": "blok: error\n" });
    assert.match(said, /\.tidegate\/lint\.yml:1:1: blok: Unknown key\. Use block, pedantic, rules/);
  });

  test("when there is nothing to lint, then that is wrong usage", async () => {
    const { stderr } = await lint(["--json", "/proc/self/fd"], 2);
    assert.match(stderr, /Nothing to lint/);
  });
});
