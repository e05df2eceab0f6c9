/** Story: people and scripts at the command line. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { RunSummary } from "#api";
import { application, rolloutWithService } from "../support/manifests.ts";
import { skipWithout } from "../support/needs.ts";
import { type Finished, run } from "../support/run-command.ts";
import { cliCommand, startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { until } from "../support/until.ts";
import { newRepository } from "../support/work-copy.ts";

const skip = skipWithout("git") || skipWithout("kubectl", ["version", "--client"]) || skipWithout("script");

const workflow = `
name: Check
on: push
jobs:
  check:
    runs-on: ubuntu-latest
    steps: [{ run: echo fine }]
`;

const configMap = `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { colour: blue }
`;

/** Words of one command, `tidegate` left out: `["rollout", "undo"]`. */
type Words = readonly string[];

describe("Given a server with one of everything", { skip }, () => {
  let tidegate: Tidegate;
  let sha: string;
  let runId: string;

  before(async () => {
    tidegate = await startTidegate();
    const work = await newRepository(tidegate, "acme/web");
    const files = { ".github/workflows/check.yml": workflow, "app/settings.yaml": configMap };
    sha = (await work.push("Everything", files)).sha;
    const repoURL = `${tidegate.url}/acme/web`;
    const syncPolicy = "{ syncOptions: [CreateNamespace=true] }";
    const app = application({ name: "web", repoURL, path: "app", namespace: "team", syncPolicy });
    const rollout = rolloutWithService({ name: "web", image: "none", steps: "[]", replicas: 0 });
    await run("kubectl", ["apply", "-f", "-"], { env: tidegate.env, input: `${app}---\n${rollout}` });
    runId = await until(tidegate, "the end of the run", async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>("/runs");
      return items[0]?.status === "completed" ? items[0].id : undefined;
    });
  });
  after(() => tidegate[Symbol.asyncDispose]());

  test("when help is asked for, then every command explains itself and gives an example that begins with its name", async () => {
    const commands = await allCommands(tidegate);
    assert.ok(commands.length > 35, `only ${commands.length} commands were found`);
    for (const { words, help } of commands) {
      const [, examples = ""] = help.split("\nExamples:\n");
      const lines = examples.split("\n").filter((line) => line.startsWith("  $ "));
      // git is what calls the credential helper.
      const name = words[0] === "credential" ? "tidegate credential" : `tidegate ${words.join(" ")}`;
      assert.ok(
        lines.some((line) => line.includes(name)),
        `"${words.join(" ")} --help" has no example of it: ${help}`,
      );
      assert.match(help, /--json/);
    }
  });

  test("when --json is asked for, then standard output is one JSON value and nothing else", async () => {
    await tidegate.cli(["sync", "web"]);
    const commands = [
      "status",
      `trace ${sha.slice(0, 8)}`,
      "runs",
      `runs ${runId}`,
      `logs ${runId}`,
      "apps",
      "apps web",
      "apps diff web",
      "sync web",
      "rollout list",
      "rollout get web",
      "rollout pause web",
      "rollout resume web",
      "repo list",
      "repo create acme/other",
      "repo protect acme/other --branch main",
      "repo delete acme/other",
      "variable set REGION north --repository acme/web",
      "variable list --repository acme/web",
      "secret list --repository acme/web",
      "token create ci --scope api:read",
      "token list",
      "token login",
    ];
    await inBatches(
      commands.map((words) => words.split(" ")),
      async (words) => {
        const { stdout, stderr } = await tidegate.cli([...words, "--json"]);
        assert.doesNotThrow(() => JSON.parse(stdout) as unknown, `${words.join(" ")}: ${stdout}`);
        assert.equal(stderr, "", words.join(" "));
      },
      1,
    );
    const doctor = JSON.parse((await tidegate.cli(["doctor", "--json"])).stdout) as { check: string; result: string }[];
    for (const name of ["server", "kubernetes"]) {
      assert.equal(doctor.find(({ check }) => check === name)?.result, "ok", name);
    }
  });

  test("when a terminal shows it, then there is colour; with NO_COLOR or without a terminal, none", async () => {
    // oxlint-disable-next-line no-control-regex -- colours are what is looked for
    const colour = /\u001b\[\d+m/;
    const inTerminal = async (env: Readonly<Record<string, string>>): Promise<string> => {
      const [program, args] = cliCommand(["runs", runId]);
      const line = [program, ...args].map((word) => `'${word}'`).join(" ");
      const options = { env: { ...tidegate.env, TERM: "xterm", ...env } };
      return (await run("script", ["--quiet", "--return", "--command", line, "/dev/null"], options)).stdout;
    };
    assert.match(await inTerminal({}), colour);
    assert.doesNotMatch(await inTerminal({ NO_COLOR: "1" }), colour);
    assert.doesNotMatch((await tidegate.cli(["runs", runId])).stdout, colour);
  });

  test("when the usage is wrong, then the exit code is 2 and the message says what is right", async () => {
    const cases: readonly [string, RegExp][] = [
      ["explode", /unknown command 'explode'/],
      ["statu", /Did you mean status\?/],
      ["status --colour", /unknown option '--colour'/],
      ["sync", /missing required argument 'application'/],
      ["apps rollback web", /required option '--id <number>'/],
      ["up --port many", /takes a whole number: "many"/],
      ["token create ci --scope api:read --days soon", /takes a whole number: "soon"/],
      ["init /nowhere/at/all", /There is no folder "\/nowhere\/at\/all"/],
    ];
    await inBatches(cases, async ([words, message]) => {
      const { stdout, stderr } = await tidegate.cli(words.split(" "), 2);
      assert.match(stderr, message);
      assert.equal(stdout, "", words);
    });
    assert.equal((await tidegate.cli([], 2)).stdout, "", "no command at all");
  });

  test("when what is asked for does not exist, then the exit code is 1 and the message names it", async () => {
    const cases: readonly [string, RegExp][] = [
      ["runs 4711", /run 4711/],
      ["logs 4711", /run 4711/],
      [`logs ${runId} --job lint`, /no job "lint": its jobs are check/],
      ["trace 0123456789", /no commit or event "0123456789"/],
      ["apps nothing", /application "argocd\/nothing"/],
      ["rollout get nothing", /rollout "default\/nothing"/],
      ["token revoke nothing", /nothing/],
      ["repo delete acme/nothing", /acme\/nothing/],
    ];
    await inBatches(cases, async ([words, message]) => {
      const { stdout, stderr } = await tidegate.cli(words.split(" "), 1);
      assert.match(stderr, /^error: /);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n {4}at /, "no stack trace");
      assert.equal(stdout, "", words);
    });
  });

  test("when a second server is started on the same folder, then it is refused and the first goes on", async () => {
    const { stderr } = await tidegate.cli(["up", "--port", "0", "--traffic-port", "0"], 1);
    assert.match(stderr, /already|another/i);
    assert.match((await tidegate.cli(["status"])).stdout, /^Tidegate /);
  });
});

describe("Given nothing that runs", { skip }, () => {
  const elsewhere = (env: Readonly<Record<string, string>>, words: Words): Promise<Finished> => {
    const [program, args] = cliCommand(words);
    return run(program, args, { env: { PATH: process.env["PATH"] ?? "", ...env }, code: 1 });
  };

  test("when a command needs the server, then it says that none runs and how to start one, and exits 1", async () => {
    for (const words of [["status"], ["runs"], ["apps"], ["sync", "web"], ["token", "list"], ["down"]]) {
      const { stdout, stderr } = await elsewhere({ TIDEGATE_HOME: "/tmp/nothing-here" }, words);
      assert.match(stderr, /^error: Nothing runs on the data folder .*: start it with "tidegate up"/, words.join(" "));
      assert.equal(stdout, "");
    }
  });

  test("when the server named by TIDEGATE_URL does not answer, then its address is in the message", async () => {
    const env = { TIDEGATE_URL: "http://127.0.0.1:9", TIDEGATE_TOKEN: "tg_secret" };
    const { stderr } = await elsewhere(env, ["status"]);
    assert.match(stderr, /^error: Cannot reach Tidegate at http:\/\/127.0.0.1:9: /);
    assert.doesNotMatch(stderr, /tg_secret/);
  });
});

interface Helped {
  readonly words: Words;
  readonly help: string;
}

/** Every command, inner ones too, as help lists them, each with its own help. */
async function allCommands(tidegate: Tidegate, outer: Words = []): Promise<Helped[]> {
  const { stdout: help, stderr } = await tidegate.cli([...outer, "--help"]);
  assert.equal(stderr, "");
  assert.ok(outer.length < 4, `commands nest too deep: ${outer.join(" ")}`);
  const [, listed = ""] = /\nCommands:\n((?: .*\n)+)/.exec(help) ?? [];
  const names = [...listed.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name = ""]) => name);
  const all: Helped[] = outer.length === 0 ? [] : [{ words: outer, help }];
  const inner = names.filter((name) => name !== "help").map((name) => [...outer, name]);
  await inBatches(inner, async (words) => void all.push(...(await allCommands(tidegate, words))), 3);
  return all;
}

async function inBatches<T>(items: readonly T[], act: (item: T) => Promise<void>, size = 4): Promise<void> {
  for (let at = 0; at < items.length; at += size) await Promise.all(items.slice(at, at + size).map(act));
}
