/** Story: a runner that has its own folder and the network alone registers, takes jobs, and is let go. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { RunDetail, RunSummary } from "#api";
import { skipWithout } from "../support/needs.ts";
import { processOf } from "../support/processes.ts";
import { cliCommand, startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

interface Runner {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly group: string;
  readonly labels: readonly string[];
}

const workflow = (wait: string): string => `
on: push
jobs:
  work:
    runs-on: [self-hosted, far]
    steps:
      - uses: actions/checkout@v4
      - run: 'echo begun; ${wait}; echo "done with $(git log --format=%s -1) on $RUNNER_NAME"'
`;

interface StartedRunner {
  readonly ended: Promise<unknown[]>;
  said(): string;
}

describe("Given a server without a runner of its own", { skip: skipWithout("git") }, () => {
  let tidegate: Tidegate;
  let work: WorkCopy;
  let far1: StartedRunner;
  const children: ChildProcess[] = [];
  before(async () => {
    tidegate = await startTidegate({ jobs: 0 });
    work = await newRepository(tidegate, "acme/far");
  });
  after(async () => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    await tidegate[Symbol.asyncDispose]();
  });

  // Nothing but what a machine elsewhere would have: no data folder, no token of the server.
  const environment = (): Record<string, string> => {
    const { TIDEGATE_HOME: _home, KUBECONFIG: _config, ...rest } = tidegate.env as Record<string, string>;
    return rest;
  };
  const elsewhere = async (args: readonly string[], code = 0): Promise<string> => {
    const [program, words] = cliCommand(args);
    const process = spawn(program, words, {
      env: environment(),
      cwd: tidegate.scratch,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [process.stdout, process.stderr])
      stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
    await once(process, "close");
    assert.equal(process.exitCode, code, said);
    return said;
  };
  const startRunner = (folder: string, ...more: string[]): StartedRunner => {
    const [program, words] = cliCommand(["runner", "run", "--folder", join(tidegate.scratch, folder), ...more]);
    const child = spawn(program, words, {
      env: environment(),
      cwd: tidegate.scratch,
      stdio: ["ignore", "ignore", "pipe"],
    });
    children.push(child);
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    return { ended: once(child, "exit"), said: () => said };
  };
  const register = async (folder: string, ...more: string[]): Promise<void> => {
    const token = (await tidegate.cli(["runner", "token", "--group", "builders"])).stdout.trim();
    const args = ["runner", "register", "--url", tidegate.url, "--token", token, "--name", folder, "--labels", "far"];
    await elsewhere([...args, "--folder", join(tidegate.scratch, folder), ...more]);
  };
  const runners = async (): Promise<readonly Runner[]> => (await tidegate.api<{ items: Runner[] }>("/runners")).items;
  const until = async <T>(what: string, look: () => Promise<T | undefined>): Promise<T> => {
    const deadline = AbortSignal.timeout(90_000);
    for (;;) {
      // Control is killed on the way: then there is no answer for a moment.
      const found = await look().catch(() => undefined);
      if (found !== undefined) return found;
      if (deadline.aborted) throw new Error(`Waited too long for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const runOf = async (sha: string, done: (run: RunDetail) => boolean): Promise<RunDetail> =>
    await until("the run", async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>(`/runs?sha=${sha}`);
      const run = items[0] === undefined ? undefined : await tidegate.api<RunDetail>(`/runs/${items[0].id}`);
      return run !== undefined && done(run) ? run : undefined;
    });
  const completed = (run: RunDetail): boolean => run.status === "completed";
  const state = async (name: string, wanted: string): Promise<Runner> =>
    await until(`${name} to be ${wanted}`, async () =>
      (await runners()).find((runner) => runner.name === name && runner.state === wanted),
    );

  test("when it registers by a token of an administrator, then it is listed, and the token is used up", async () => {
    const token = (await tidegate.cli(["runner", "token"])).stdout.trim();
    const args = ["runner", "register", "--url", tidegate.url, "--token", token, "--name", "once"];
    await elsewhere([...args, "--folder", join(tidegate.scratch, "once")]);
    const said = await elsewhere([...args, "--folder", join(tidegate.scratch, "twice")], 1);
    assert.match(said, /registration token is not known: it was used/);
    const other = (await tidegate.cli(["runner", "token"])).stdout.trim();
    const same = ["runner", "register", "--url", tidegate.url, "--token", other, "--name", "once"];
    const taken = await elsewhere([...same, "--folder", join(tidegate.scratch, "same")], 1);
    assert.match(
      taken,
      /There is a runner "once" already\. Choose another --name, or --replace it; the token is still good/,
    );
    await elsewhere([...same, "--replace", "--folder", join(tidegate.scratch, "same")]);
    assert.deepEqual(
      (await runners()).map(({ name }) => name),
      ["once"],
    );
    const once_ = await state("once", "offline");
    assert.deepEqual([once_.group, once_.labels.includes("self-hosted")], ["Default", true]);
    await tidegate.cli(["runner", "remove", "once"]);
    assert.deepEqual(await runners(), []);
    const { mode } = await stat(join(tidegate.scratch, "once", "runner.json"));
    assert.equal(mode & 0o77, 0, "nobody else reads its token");
  });

  test("when jobs ask for its labels, then it runs them, through a death of the control process too", async () => {
    await register("far-1");
    far1 = startRunner("far-1");
    await state("far-1", "idle");
    const { sha } = await work.push("first", { ".github/workflows/w.yml": workflow("sleep 3") });
    await runOf(sha, (run) => run.jobs.some((job) => job.status === "in_progress"));
    await state("far-1", "busy");
    const control = processOf(tidegate.scratch, "server/process/main.ts");
    assert.ok(control !== undefined);
    process.kill(control.pid, "SIGKILL");
    const run = await runOf(sha, completed);
    assert.deepEqual([run.conclusion, run.jobs[0]?.runner], ["success", "far-1"]);
    const log = (await tidegate.cli(["logs", run.id])).stdout;
    assert.match(log, /done with first on far-1/);
    assert.equal(log.split("begun\n").length <= 2, true, "it ran once");
    await state("far-1", "idle");
    assert.match((await tidegate.cli(["runner", "list"])).stdout, /far-1 +idle +builders/);
  });

  test("when its group is closed to a repository, then jobs of that wait, and say why, until it is let in", async () => {
    await tidegate.cli(["runner", "group", "set", "builders", "acme/other"]);
    const { sha } = await work.push("second", { ".github/workflows/w.yml": workflow("true") });
    const waiting = await runOf(sha, (run) => run.jobs[0]?.message !== undefined);
    assert.match(waiting.jobs[0]?.message ?? "", /runner group "builders" is closed to this repository/);
    await tidegate.cli(["runner", "group", "set", "builders", "acme/*"]);
    assert.equal((await runOf(sha, completed)).conclusion, "success");
    await tidegate.cli(["runner", "group", "open", "builders"]);
  });

  test("when it is removed, then its token is worth nothing, and it is gone from the list", async () => {
    const { id } = await state("far-1", "idle");
    await tidegate.cli(["runner", "remove", id]);
    assert.deepEqual(await runners(), []);
    const [code] = (await far1.ended) as [number];
    assert.equal(code, 1, "it does not ask for ever");
    assert.match(far1.said(), /The runner ends, since control refuses it: .* register it again/);
    const { sha } = await work.push("nobody", { ".github/workflows/w.yml": workflow("true") });
    const waiting = await runOf(sha, (run) => run.jobs[0]?.message !== undefined);
    assert.match(waiting.jobs[0]?.message ?? "", /no runner is connected/);
    await tidegate.cli(["runs", "cancel", waiting.id]);
  });

  test("when it is ephemeral, then it takes one job, ends, and takes no other", async () => {
    await register("brief", "--ephemeral");
    const { ended } = startRunner("brief");
    await state("brief", "idle");
    const { sha } = await work.push("third", { ".github/workflows/w.yml": workflow("true") });
    assert.equal((await runOf(sha, completed)).jobs[0]?.runner, "brief");
    assert.deepEqual(await ended, [0, null]);
    assert.deepEqual(await runners(), []);
    // Its folder and its token are still there; the one job was all they were for.
    const again = startRunner("brief");
    assert.deepEqual(await again.ended, [1, null]);
    assert.match(again.said(), /is ephemeral and has had its job: register another one/);
  });

  test("when it is to run once, then it takes one job and ends, and may come back", async () => {
    await register("steady");
    for (const message of ["fourth", "fifth"]) {
      const { ended } = startRunner("steady", "--once");
      const { sha } = await work.push(message, { ".github/workflows/w.yml": workflow("true") });
      assert.equal((await runOf(sha, completed)).jobs[0]?.runner, "steady");
      assert.deepEqual(await ended, [0, null]);
    }
  });
});
