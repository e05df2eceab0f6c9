import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { systemClock, systemIds } from "#lib";
import { childEnvironment, processLog, readConfig, supervise } from "#server";
import { type Client, connect } from "../client.ts";
import { command, type GlobalOptions, interruptSignal } from "../command.ts";
import { trafficChart } from "../demo/chart.ts";
import type { Customers } from "../demo/customers.ts";
import { type ReleaseFigures, releaseFigures } from "../demo/figures.ts";
import { Progress } from "../demo/progress.ts";
import { deliver, type Release, releases } from "../demo/release.ts";
import { openShop, type Shop, startShopCustomers } from "../demo/shop.ts";
import { print, printJson, table } from "../output.ts";
import { stopEverything } from "../stop-everything.ts";

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
  readonly shop: Shop;
  readonly customers: Customers;
  readonly progress: Progress;
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
  const keep = options.keep === true;
  await using stack = new AsyncDisposableStack();
  if (!keep) stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const log = processLog({ ...config, logLevel: "warn" }, "demo");
  const supervisor = stack.use(
    await supervise({ config, clock: systemClock, ids: systemIds, log, controlLog: "file" }),
  );
  const client = await connect(home);
  if (!keep) stack.defer(() => stopEverything(client, supervisor.ended, systemClock));
  // Interrupted while it started: what runs by now ends with the stack.
  signal.throwIfAborted();
  const shop = await openShop({ client, searchPath: config.hostPath, folder, signal });
  const customers = stack.use(
    startShopCustomers({
      nodePath: config.nodePath,
      environment: childEnvironment(config),
      trafficPort: supervisor.endpoints.trafficPort,
      requestsPerSecond: Number(options.rate),
    }),
  );
  const figures = await deliverAll({ shop, customers, progress, signal });
  const totalMs = Math.round(systemClock.monotonicMs() - startedMs);
  await customers[Symbol.asyncDispose]();
  if (options.json === true) printJson({ releases: figures, totalMs });
  else report(figures, customers, totalMs);
  if (keep) await stayOpen(client, config.home, supervisor.ended, signal);
}

async function deliverAll(scene: Scene): Promise<ReleaseFigures[]> {
  const figures: ReleaseFigures[] = [];
  for (const release of releases) figures.push(await deliverOne(scene, release));
  return figures;
}

async function deliverOne(scene: Scene, release: Release): Promise<ReleaseFigures> {
  const { shop, customers, progress, signal } = scene;
  progress.say(`\n${release.version}: ${release.message}`);
  progress.begin(release.version);
  const delivered = await deliver(release, shop, {
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
