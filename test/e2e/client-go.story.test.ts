/**
 * Story: controllers written in Go, of today and of two years ago, live on this cluster while its control process is
 * killed again and again. `CLIENT_GO_MINUTES=5 npm run e2e client-go` lets them run longer.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { skipWithout } from "../support/needs.ts";
import { follow, run } from "../support/run-command.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";

const sources = join(import.meta.dirname, "..", "clients");
const seconds = 60 * Number(process.env["CLIENT_GO_MINUTES"] ?? 1);

/** WatchList streams the initial state; it is the default of new clients, and one can turn it off. */
const programs = [
  { what: "client-go 0.37 with WatchList", modules: "go.mod", watchList: "true", protobuf: "true", seconds },
  {
    what: "client-go 0.31, list and watch, JSON",
    modules: "older.mod",
    watchList: "false",
    protobuf: "false",
    seconds: seconds / 2,
  },
] as const;

/** The last line that `test/clients` prints. */
interface Report {
  readonly ok: boolean;
  readonly problems: readonly string[];
  readonly writes: number;
  readonly retries: number;
  readonly conflicts: number;
  readonly events: number;
  readonly leaders: number;
  readonly statusTokens: number;
  readonly cacheDigest: string;
  readonly storeDigest: string;
  readonly kinds: Readonly<Record<string, { readonly objects: number }>>;
}

describe("Given a Go program with informers, an election and writers", { skip: skipWithout("go", ["version"]) }, () => {
  let tidegate: Tidegate;

  before(async () => {
    tidegate = await startTidegate({ jobs: 0 });
  });
  after(() => tidegate[Symbol.asyncDispose]());

  for (const [index, { what, modules, watchList, protobuf, seconds }] of programs.entries()) {
    test(`when control is killed while ${what} works, then its caches end equal to the store and nothing is lost`, async (t) => {
      const program = await build(modules, index);
      const flags = [`-duration=${seconds}s`, `-namespace=clients-${index}`, `-protobuf=${protobuf}`];
      const env = { ...tidegate.env, KUBE_FEATURE_WatchListClient: watchList };
      await using clients = follow(program, flags, { env, patienceMs: (seconds + 240) * 1000 });
      await clients.line(/^ready$/);
      const kills = await killAgainAndAgain(seconds - 10);
      const report = JSON.parse(await clients.line(/^\{/)) as Report;
      t.diagnostic(`${kills} kills, ${JSON.stringify({ ...report, kinds: Object.keys(report.kinds).length })}`);
      assert.deepEqual(report.problems, []);
      assert.equal(report.cacheDigest, report.storeDigest);
      assert.ok(
        Object.values(report.kinds).every(({ objects }) => objects > 0),
        "there was something of every kind",
      );
      assert.ok(kills >= 2 && report.retries > 0, "the kills were felt");
      assert.ok(report.writes > 5 * seconds, `${report.writes} writes in ${seconds} s`);
      assert.ok(report.events >= report.writes && report.statusTokens > 0);
      assert.equal(await clients.ended(), 0);
    });
  }

  /** Built with the caches of whoever runs the tests: what a test downloads need not be downloaded again. */
  async function build(modules: string, index: number): Promise<string> {
    const program = join(tidegate.scratch, `clients-${index}`);
    const env = process.env as Record<string, string>;
    const args = ["build", `-modfile=${modules}`, "-o", program, "."];
    await run("go", args, { cwd: sources, env, patienceMs: 540_000 });
    return program;
  }

  /** Returns how often; each time the next control process has taken over before the pause begins. */
  async function killAgainAndAgain(forSeconds: number): Promise<number> {
    const end = performance.now() + forSeconds * 1000;
    for (let kills = 0; ; kills++) {
      await delay(6_000);
      if (performance.now() >= end) return kills;
      const pid = await tidegate.controlPid();
      process.kill(pid, "SIGKILL");
      while ((await tidegate.controlPid()) === pid) await delay(50);
    }
  }
});
