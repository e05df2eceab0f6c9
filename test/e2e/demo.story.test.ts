/** The whole promise in one command: `tidegate demo`, as a person or a program runs it, and what it leaves behind. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { root } from "../../scripts/steps.ts";
import type { ReleaseFigures } from "../../src/cli/demo/figures.ts";
import { processesOf } from "../support/processes.ts";

interface Report {
  readonly releases: readonly ReleaseFigures[];
  readonly totalMs: number;
}

/** One page of six asks for the product that v3 cannot show. */
const badPages = 1 / 6;
const main = join(root, "src", "cli", "main.ts");

let folder = "";
let running: Demo | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "demo-story-"));
  await mkdir(temporary());
});
afterEach(async () => {
  running?.child.kill("SIGINT");
  await running?.ended;
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

test("the demo delivers two good releases without a failed request, takes the bad one back, and leaves nothing", async () => {
  const demo = startDemo(["--json"]);
  assert.equal(await demo.ended, 0, demo.stderr());
  const report = JSON.parse(demo.stdout()) as Report;
  assert.deepEqual(Object.keys(report), ["releases", "totalMs"]);
  const [v1, v2, v3] = report.releases as readonly [ReleaseFigures, ReleaseFigures, ReleaseFigures];
  assert.deepEqual(
    report.releases.map(({ version, outcome }) => `${version} ${outcome}`),
    ["v1 promoted", "v2 promoted", "v3 rolled back"],
  );
  for (const release of report.releases) assertShape(release);
  assert.deepEqual([v1.failedRequests, v2.failedRequests], [0, 0]);
  assert.equal(v1.canaryShare, 1);
  // About 70 of 700 requests: four standard deviations of chance are 0.045, and the router does not leave it to chance.
  for (const { canaryShare } of [v2, v3]) assert.ok(Math.abs(canaryShare - 0.1) < 0.045, `share ${canaryShare}`);
  assert.ok(v3.failedRequests > 0, "v3 failed somebody, or nothing was proved");
  assert.ok(v3.failedRequests <= mostFailures(v3), `${v3.failedRequests} requests failed of ${v3.requests}`);
  assert.ok(v3.verdictToStableMs !== null && v3.verdictToStableMs <= 1000, `${v3.verdictToStableMs} ms`);
  assert.ok(report.totalMs < 120_000);
  assertNothingRuns();
  assert.deepEqual(await readdir(temporary()), []);
});

test("with --keep it prints the console's address and runs on until it is stopped", async () => {
  const demo = startDemo(["--keep"]);
  const [, url = "", origin = ""] = await demo.line(/Console: ((http:\/\/[^/]+)\/\S+)/);
  const [, home = ""] = await demo.line(/TIDEGATE_HOME=(\S+)/);
  const login = await fetch(url, { redirect: "manual" });
  assert.ok(login.status < 400, `the console answered ${login.status}`);
  assert.equal((await fetch(`${origin}/healthz`)).status, 200);
  assert.equal(demo.child.exitCode, null);
  demo.interrupt();
  assert.equal(await demo.ended, 0);
  const kept = processesOf(folder).map(({ command }) => command);
  assert.equal(kept.filter((command) => command.includes("router/process/main.ts")).length, 1);
  assert.equal(kept.filter((command) => command.includes("container-shim.sh")).length, 2);
  assert.ok(!kept.some((command) => command.includes("server/process/main.ts")), "the control plane stopped");
  const down = spawn(process.execPath, [main, "down", "--home", home], { env: environment(), stdio: "ignore" });
  assert.deepEqual(await once(down, "exit"), [0, null]);
  assertNothingRuns();
});

const moments = [
  { name: "as it starts", line: /^Starting in / },
  { name: "in the build", line: /◌ build/ },
  { name: "in the canary", line: /10 % of traffic/ },
];
for (const { name, line } of moments) {
  test(`Ctrl-C ${name} ends everything and removes the folder`, async () => {
    const demo = startDemo([]);
    await demo.line(line);
    demo.interrupt();
    assert.equal(await demo.ended, 130, demo.stderr());
    assert.doesNotMatch(demo.stderr(), /error/i);
    assertNothingRuns();
    assert.deepEqual(await readdir(temporary()), []);
  });
}

function assertShape(release: ReleaseFigures): void {
  assert.deepEqual(Object.keys(release), [
    "version",
    "outcome",
    "commitToFirstTrafficMs",
    "commitToFullTrafficMs",
    "requests",
    "failedRequests",
    "canaryShare",
    "verdictToStableMs",
  ]);
  const { outcome, commitToFirstTrafficMs, commitToFullTrafficMs, requests, verdictToStableMs } = release;
  assert.ok(commitToFirstTrafficMs > 0 && requests > 50);
  assert.equal(commitToFullTrafficMs === null, outcome === "rolled back");
  assert.equal(verdictToStableMs === null, outcome === "promoted");
}

/** What the share explains had the release had it all the time, and four standard deviations (Poisson) of bad luck. */
function mostFailures({ requests, canaryShare }: ReleaseFigures): number {
  const mean = requests * canaryShare * badPages;
  return mean + 4 * Math.sqrt(mean);
}

/** All processes of the demo have our folder, or something in it, in their environment. */
function assertNothingRuns(): void {
  assert.deepEqual(processesOf(folder), []);
}

interface Demo {
  readonly child: ChildProcess;
  /** The exit code. */
  readonly ended: Promise<number | null>;
  stdout(): string;
  stderr(): string;
  /** The first line of either output that matches. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** As Ctrl-C in a terminal: to the whole group. */
  interrupt(): void;
}

function startDemo(args: readonly string[]): Demo {
  const child = spawn(process.execPath, [main, "demo", ...args], {
    cwd: folder,
    detached: true,
    env: environment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  let changed = Promise.withResolvers<void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (chunk: Buffer) => {
      text[name] += chunk.toString("utf8");
      changed.resolve();
      changed = Promise.withResolvers<void>();
    });
  }
  const ended = once(child, "close").then(() => child.exitCode);
  ended.then(() => changed.resolve());
  running = {
    child,
    ended,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    async line(pattern) {
      for (;;) {
        for (const one of `${text.stderr}\n${text.stdout}`.split("\n")) {
          const found = pattern.exec(one);
          if (found !== null) return found;
        }
        assert.equal(child.exitCode, null, `it ended without a line that matches ${String(pattern)}: ${text.stderr}`);
        await changed.promise;
      }
    },
    interrupt: () => process.kill(-(child.pid ?? 0), "SIGINT"),
  };
  return running;
}

/** The demo's folder for temporary files; HOME is another, where npm leaves its logs. */
function temporary(): string {
  return join(folder, "tmp");
}

function environment(): Record<string, string> {
  const own = join(root, "node_modules", ".bin");
  const path = (process.env["PATH"] ?? "")
    .split(":")
    .filter((entry) => entry !== own && !entry.includes("node-gyp-bin"));
  return { PATH: path.join(":"), HOME: folder, TMPDIR: temporary(), LANG: "C.UTF-8" };
}
