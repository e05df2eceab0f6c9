/**
 * The promise of the two planes: whichever process is killed, whenever, users notice nothing (of a killed router: a
 * moment), nothing is lost, nothing is done twice, and the release ends as it would have.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { AnalysisRun, Application, Pod, ReplicaSet, RunDetail, RunSummary, Trace } from "#api";
import { errorCode } from "#lib";
import { git } from "../../src/cli/scaffold/git-work.ts";
import { type Release, releases } from "../../src/cli/demo/release.ts";
import { isFailure, type RequestReport } from "../../src/cli/demo/traffic-log.ts";
import { ControlKiller, type KillPoint, stageIs, weightIs } from "../support/control-killer.ts";
import { processesOf, processOf } from "../support/processes.ts";
import { followRollout, type RolloutLog } from "../support/rollout-log.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { openTestShop, type TestShop } from "../support/shop.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";

const [v1, v2] = releases as readonly [Release, Release];
const v3: Release = { ...v2, version: "v2.1", shopVersion: "2.1.0", message: "Show prices better" };
const production = "/kube/apis/argoproj.io/v1alpha1/namespaces/production";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const random = seededRandom(seed);
const upTo = (ms: number): number => Math.round(random() * ms);

const points: readonly KillPoint[] = [
  { name: "as the run begins", reached: () => true, afterMs: 0 },
  { name: "in the first job", reached: stageIs("build", "running"), afterMs: upTo(300), againMs: upTo(900) },
  { name: "later in the build", reached: stageIs("build", "running", "done"), afterMs: upTo(500) },
  { name: "as the image is there", reached: stageIs("image", "done"), afterMs: 0 },
  { name: "at the environment commit", reached: stageIs("environment", "running", "done"), afterMs: upTo(30) },
  { name: "as the canary begins", reached: stageIs("canary", "running"), afterMs: upTo(100) },
  { name: "at 10 %", reached: weightIs(10), afterMs: upTo(100), againMs: upTo(900) },
  { name: "between measurements", reached: weightIs(10), afterMs: 2500 + upTo(1000) },
  { name: "at 50 %", reached: weightIs(50), afterMs: upTo(50), againMs: upTo(900) },
  { name: "in the pause", reached: weightIs(50), afterMs: 1000 + upTo(1000) },
  { name: "as it is promoted", reached: weightIs(100), afterMs: upTo(20), againMs: upTo(900) },
];

let tidegate: Tidegate;
let shop: TestShop;
let rollout: RolloutLog;
let router: number | undefined;

before(async () => {
  tidegate = await startTidegate();
  shop = await openTestShop(tidegate);
  rollout = followRollout(tidegate, "production");
  await shop.deliver(v1);
  router = processOf(tidegate.scratch, "router/process/main.ts")?.pid;
});
after(async () => {
  await shop.customers[Symbol.asyncDispose]();
  await rollout[Symbol.asyncDispose]();
  await tidegate[Symbol.asyncDispose]();
  assert.deepEqual(processesOf(tidegate.scratch), [], "nothing runs on");
});

test("a control process killed at ten points and more of a release: it is promoted as if nothing had been", async (t) => {
  t.diagnostic(`SEED=${seed}`);
  await using killer = new ControlKiller(tidegate.scratch, points);
  const { sha, delivery } = await shop.deliver(v2, (seen) => killer.see(seen));
  // The last blow may still be coming: what is asked from here on, a living server answers.
  await killer[Symbol.asyncDispose]();
  await untilAnswers();
  t.diagnostic(`killed ${killer.kills.map(({ name }) => name).join(", ")}`);
  assert.ok(killer.kills.length > 10, `not reached: ${killer.left.join(", ")}`);
  assert.equal(delivery.outcome, "live");
  await untilServes(v2);
  assert.deepEqual(shop.customers.reports.filter(isFailure), []);
  await assertDeliveredOnce(sha, { executions: 1 });
});

test("a runner killed in the build and a supervisor killed at 10 %: the release is promoted all the same", async (t) => {
  const scratch = tidegate.scratch;
  let runner: number | undefined;
  let again: Promise<Tidegate> | undefined;
  const { sha, delivery } = await shop.deliver(v3, (seen) => {
    if (runner === undefined && stageIs("build", "running")(seen)) runner = kill("runner/process/main.ts");
    if (again === undefined && weightIs(10)(seen)) {
      process.kill(tidegate.supervisorPid, "SIGKILL");
      again = startTidegate({ scratch });
    }
  });
  assert.ok(runner !== undefined && again !== undefined);
  tidegate = await again;
  await untilAnswers();
  assert.equal(delivery.outcome, "live");
  await untilServes(v3);
  assert.deepEqual(shop.customers.reports.filter(isFailure), []);
  t.diagnostic(`executions: ${(await shop.executions()).filter((line) => line.startsWith(sha)).join(", ")}`);
  await assertDeliveredOnce(sha, { executions: 2 });
});

test("a killed router is back on its port with its table", async (t) => {
  const port = tidegate.trafficPort;
  const former = shop.customers.reports.length;
  const killedMs = Date.now();
  const pid = kill("router/process/main.ts");
  const isNew = (report: RequestReport): boolean => report.sentMs > killedMs && !isFailure(report);
  await until(() => shop.customers.reports.filter(isNew).length >= 100);
  const since = shop.customers.reports.slice(former);
  const lost = since.filter(isFailure);
  const backMs = Math.max(...lost.map(({ doneMs }) => doneMs)) - killedMs;
  t.diagnostic(`router ${pid} killed: ${lost.length} requests failed, answers again after ${backMs} ms`);
  assert.equal(tidegate.trafficPort, port);
  assert.ok(
    lost.every(({ status }) => status === 0),
    "connections failed, but no answer was wrong",
  );
  assert.ok(since.filter((report) => !isFailure(report)).every(({ version }) => version === v3.shopVersion));
});

function kill(part: string): number {
  const found = processOf(tidegate.scratch, part);
  assert.ok(found !== undefined, `${part} runs`);
  process.kill(found.pid, "SIGKILL");
  return found.pid;
}

async function untilAnswers(): Promise<void> {
  await until(async () => {
    try {
      await shop.client.request("/healthz");
      return true;
    } catch (error) {
      if (errorCode(error) === "cli/not-running") return false;
      throw error;
    }
  });
}

/** The pods of other releases are gone and all customers get this one. */
async function untilServes(release: Release): Promise<void> {
  await until(async () => {
    const { items } = await kube<KubeList<Pod>>("/kube/api/v1/namespaces/production/pods");
    return items.length === 2 && items.every(({ status }) => status?.phase === "Running");
  });
  const from = shop.customers.reports.length;
  await until(() => shop.customers.reports.length > from + 50);
  const versions = new Set(shop.customers.reports.slice(from + 10).map(({ version }) => version));
  assert.deepEqual([...versions], [release.shopVersion]);
}

interface Expected {
  /** How often each job may have begun: more than once only where its runner was killed. */
  readonly executions: number;
}

async function assertDeliveredOnce(sha: string, { executions }: Expected): Promise<void> {
  assert.equal(processOf(tidegate.scratch, "router/process/main.ts")?.pid, router, "the router was adopted");
  await assertBuiltOnce(sha, executions);
  const environment = await assertPromotedOnce(sha);
  await assertSyncedOnce(environment);
  await assertReleasedOnce();
  const { events } = await tidegate.api<Trace>(`/trace/acme/shop@${sha}`);
  const kinds = events.map(({ kind }) => kind).filter((kind) => kind !== "rollout-step");
  const once = ["push", "run-started", "run-completed", "image-pushed", "environment-commit", "sync-started"];
  const then = ["sync-completed", "rollout-started", "analysis-completed", "rollout-promoted"];
  assert.deepEqual(kinds.toSorted(), [...once, ...then].toSorted());
}

async function assertBuiltOnce(sha: string, executions: number): Promise<void> {
  const { items } = await tidegate.api<{ items: RunSummary[] }>(`/runs?sha=${sha}`);
  assert.equal(items.length, 1, "one run");
  const run = await tidegate.api<RunDetail>(`/runs/${items[0]?.id}`);
  assert.deepEqual([run.conclusion, run.attempt], ["success", 1]);
  assert.deepEqual(run.jobs.map(({ key, conclusion }) => `${key} ${conclusion}`).toSorted(), [
    "image success",
    "quality success",
  ]);
  const begun = (await shop.executions()).filter((line) => line.startsWith(sha));
  for (const job of ["quality", "image"]) {
    const times = begun.filter((line) => line.endsWith(` ${job}`)).length;
    assert.ok(times >= 1 && times <= executions, `job ${job} began ${times} times`);
  }
  using database = new DatabaseSync(join(tidegate.home, "tidegate.db"), { readOnly: true });
  const pushes = database.prepare("SELECT tag FROM registry_pushes WHERE tag = ?").all(sha.slice(0, 7));
  assert.equal(pushes.length, 1, "one push of the image");
}

/** The one commit in the environments that brought this commit's image. */
async function assertPromotedOnce(sha: string): Promise<string> {
  const copy = join(tidegate.scratch, "shop", "environments");
  await git(shop.access, copy, ["fetch", "--quiet", `${tidegate.url}/acme/environments`, "main"]);
  const log = await git(shop.access, copy, ["log", "--format=%H %s", "FETCH_HEAD"]);
  const commits = log.split("\n").filter((line) => line.endsWith(`to ${sha.slice(0, 7)}`));
  assert.equal(commits.length, 1, `one environment commit: ${log}`);
  return commits[0]?.split(" ")[0] ?? "";
}

async function assertSyncedOnce(revision: string): Promise<void> {
  const path = "/kube/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop";
  const { status } = await kube<Application>(path);
  assert.equal(status?.sync?.revision, revision);
  assert.equal(status.sync.status, "Synced");
  assert.equal(status.history?.filter((entry) => entry.revision === revision).length, 1, "one sync");
}

async function assertReleasedOnce(): Promise<void> {
  const last = rollout.states.at(-1);
  const hash = last?.status?.currentPodHash ?? "";
  assert.equal(last?.status?.stableRS, hash);
  assertStepsOnce(hash);
  const { items: sets } = await kube<KubeList<ReplicaSet>>("/kube/apis/apps/v1/namespaces/production/replicasets");
  const revisions = sets.map(({ metadata }) => Number(metadata.annotations?.["rollout.argoproj.io/revision"]));
  assert.deepEqual(
    revisions.toSorted((a, b) => a - b),
    sets.map((_set, index) => index + 1),
    "one ReplicaSet a release, numbered one after the other",
  );
  assert.deepEqual(
    sets.filter(({ spec }) => spec.replicas !== 0).map(({ metadata, spec }) => [metadata.name, spec.replicas]),
    [[`shop-${hash}`, 2]],
  );
  const { items: runs } = await kube<KubeList<AnalysisRun>>(`${production}/analysisruns`);
  const mine = runs.filter(({ metadata }) => metadata.labels?.["rollouts-pod-template-hash"] === hash);
  assert.deepEqual(
    mine.map(({ status }) => status?.phase),
    ["Successful"],
    "one analysis",
  );
  assert.deepEqual(
    mine[0]?.status?.metricResults?.map(({ count }) => count),
    [3],
    "of three measurements",
  );
  const { items: pods } = await kube<KubeList<Pod>>("/kube/api/v1/namespaces/production/pods");
  const restarts = pods.map(({ status }) => status?.containerStatuses?.[0]?.restartCount);
  assert.deepEqual(restarts, [0, 0], "no pod was restarted");
  const shims = processesOf(tidegate.scratch).filter(({ command }) => command.includes("container-shim.sh"));
  assert.equal(shims.length, 2, "no process is left of other pods");
}

/** Over all states ever committed of this release: steps and weights only went forward, each step was seen. */
function assertStepsOnce(hash: string): void {
  const mine = rollout.states.filter(({ status }) => status?.currentPodHash === hash);
  const steps = mine.map(({ status }) => status?.currentStepIndex ?? 0);
  const weights = mine.map(({ status }) => status?.canary?.weights?.canary.weight ?? 0);
  const changes = <T>(values: readonly T[]): T[] => values.filter((value, index) => value !== values[index - 1]);
  assert.deepEqual(changes(steps), [0, 1, 2, 3, 4], "each step once");
  assert.deepEqual(changes(weights).slice(0, 4), [0, 10, 50, 100], "each weight once");
}

interface KubeList<T> {
  readonly items: readonly T[];
}

async function kube<T>(path: string): Promise<T> {
  const response = await shop.client.request(path);
  return (await response.json()) as T;
}

/** Looks again every few milliseconds: what is waited for is seen from outside, where nobody announces it. */
async function until(look: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = AbortSignal.timeout(30_000);
  while (!(await look())) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
