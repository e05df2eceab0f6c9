import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { systemClock, systemIds } from "#lib";
import { childEnvironment, type Config, processLog, readConfig, supervise } from "#server";
import { Client, connect } from "../client.ts";
import { command, type GlobalOptions, interruptSignal } from "../command.ts";
import { trafficChart } from "../demo/chart.ts";
import { type Customers, startCustomers } from "../demo/customers.ts";
import { type ReleaseFigures, releaseFigures } from "../demo/figures.ts";
import { Progress } from "../demo/progress.ts";
import { deliver, type Release, releases } from "../demo/release.ts";
import { print, printJson, table } from "../output.ts";
import { applyApplication, ensureRepository } from "../scaffold/apply.ts";
import { commitAndPush, git, type GitAccess, writeFiles } from "../scaffold/git-work.ts";
import { applicationManifest, environmentFiles, examplesFolder, type Names } from "../scaffold/templates.ts";

interface DemoOptions extends GlobalOptions {
  readonly keep?: boolean;
  readonly rate: string;
}

export function demoCommand(): Command {
  return command("demo", "Deliver three releases of a small shop, the last one bad, under real traffic", [
    "tidegate demo",
    "tidegate demo --keep     # leave it running and open the console",
    "tidegate demo --json",
  ])
    .option("--keep", "leave everything running and print the console's address")
    .option("--rate <number>", "requests a second of the customers", "100")
    .action(demo);
}

interface Scene {
  readonly config: Config;
  readonly client: Client;
  readonly access: GitAccess;
  readonly names: Names;
  readonly customers: Customers;
  readonly progress: Progress;
  readonly shopFolder: string;
  readonly signal: AbortSignal;
}

async function demo(options: DemoOptions): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  const signal = interruptSignal();
  const folder = await mkdtemp(join(tmpdir(), "tidegate-demo-"));
  const home = options.home ?? join(folder, "home");
  const config = readConfig({ home, port: 0, trafficPort: 0 });
  const progress = new Progress(systemClock, options.json === true);
  progress.say(`Starting in ${home}`);
  await using stack = new AsyncDisposableStack();
  const keep = options.keep === true;
  if (!keep) stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const log = processLog({ ...config, logLevel: "warn" }, "demo");
  const supervisor = stack.use(
    await supervise({ config, clock: systemClock, ids: systemIds, log, controlLog: "file" }),
  );
  const client = await connect(home);
  if (!keep) stack.defer(() => stopAll(client, supervisor.ended));
  const scene = await prepare(
    config,
    client,
    supervisor.endpoints.trafficPort,
    folder,
    progress,
    Number(options.rate),
    stack,
  );
  const figures = await deliverAll({ ...scene, signal });
  const totalMs = Math.round(systemClock.monotonicMs() - startedMs);
  await scene.customers[Symbol.asyncDispose]();
  if (options.json === true) printJson({ releases: figures, totalMs });
  else report(figures, scene.customers, totalMs);
  if (keep) await stayOpen(client, home, supervisor.ended, signal);
}

async function stopAll(client: Client, ended: Promise<void>): Promise<void> {
  await client.api("/system/stop", { method: "POST", body: { dataPlane: true } });
  await ended;
}

async function prepare(
  config: Config,
  client: Client,
  trafficPort: number,
  folder: string,
  progress: Progress,
  requestsPerSecond: number,
  stack: AsyncDisposableStack,
): Promise<Omit<Scene, "signal">> {
  const access: GitAccess = { ...client.gitLogin, searchPath: config.hostPath, signal: interruptSignal() };
  const names: Names = {
    owner: "acme",
    app: "shop",
    environments: "environments",
    registry: client.url.replace("http://", ""),
    controlUrl: client.url,
  };
  await ensureRepository(client, "acme/shop");
  await ensureRepository(client, "acme/environments");
  await pushEnvironments(access, names, join(folder, "environments"));
  await applyApplication(client, await applicationManifest(names));
  const shopFolder = join(folder, "shop");
  await cp(join(examplesFolder, "shop"), shopFolder, { recursive: true });
  await git(access, shopFolder, ["init", "--quiet"]);
  const customers = startCustomers({
    nodePath: config.nodePath,
    environment: childEnvironment(config),
    host: "127.0.0.1",
    port: trafficPort,
    hostHeader: "shop.production.localhost",
    requestsPerSecond,
  });
  stack.use(customers);
  return { config, client, access, names, customers, progress, shopFolder };
}

async function pushEnvironments(access: GitAccess, names: Names, folder: string): Promise<void> {
  await writeFiles(folder, await environmentFiles(names));
  await git(access, folder, ["init", "--quiet"]);
  await commitAndPush(access, folder, "acme/environments", "Describe production");
}

async function deliverAll(scene: Scene): Promise<ReleaseFigures[]> {
  const figures: ReleaseFigures[] = [];
  for (const release of releases) figures.push(await deliverOne(scene, release));
  return figures;
}

async function deliverOne(scene: Scene, release: Release): Promise<ReleaseFigures> {
  const { client, access, customers, progress, shopFolder, signal } = scene;
  progress.say(`\n${release.version}: ${release.message}`);
  progress.begin(release.version);
  const delivered = await deliver(release, {
    client,
    access,
    folder: shopFolder,
    repository: "acme/shop",
    clock: systemClock,
    onProgress: (delivery) => progress.show(delivery),
    signal,
  });
  progress.end();
  const { pushedMs, endedMs, events, delivery } = delivered;
  return releaseFigures({
    version: release.version,
    shopVersion: release.shopVersion,
    pushedMs,
    endedMs,
    promoted: delivery.outcome === "live",
    requests: customers.reports.filter((request) => request.sentMs >= pushedMs && request.sentMs <= endedMs),
    events,
  });
}

function report(figures: readonly ReleaseFigures[], customers: Customers, totalMs: number): void {
  const ms = (value: number | null): string => (value === null ? "-" : `${value} ms`);
  const rows = figures.map((release) => [
    release.version,
    release.outcome,
    ms(release.commitToFirstTrafficMs),
    ms(release.commitToFullTrafficMs),
    String(release.requests),
    String(release.failedRequests),
    `${(release.canaryShare * 100).toFixed(1)} %`,
    ms(release.verdictToStableMs),
  ]);
  const header = [
    "release",
    "outcome",
    "first traffic",
    "full traffic",
    "requests",
    "failed",
    "first share",
    "verdict to stable",
  ];
  print(`\n${table(header, rows)}\n`);
  const byTime = [...customers.reports].sort((a, b) => a.sentMs - b.sentMs);
  print(
    trafficChart(
      byTime,
      releases.map((release) => release.shopVersion),
    ),
  );
  print(
    `\nThree releases in ${(totalMs / 1000).toFixed(1)} s. A column is a moment, darker where a version answered more.`,
  );
}

async function stayOpen(client: Client, home: string, ended: Promise<void>, signal: AbortSignal): Promise<void> {
  const { url } = await client.api<{ url: string }>("/login-codes", { method: "POST", body: {} });
  print(`\nIt keeps running. Console: ${url}`);
  print(`  export TIDEGATE_HOME=${home} KUBECONFIG=${home}/kubeconfig`);
  print("  Ctrl-C stops the control plane; tidegate down stops everything");
  await Promise.race([ended, new Promise((resolve) => signal.addEventListener("abort", resolve))]);
}
