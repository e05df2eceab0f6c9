/**
 * How long a commit takes: `npm run bench -- delivery [runs] [--json]`. Starts the real thing on a fresh folder, installs
 * the shop, then delivers one good and one bad release a run under real traffic, and prints each way as milliseconds.
 *
 * Times begin before `git commit` and end with what was seen from outside: the timeline's own times for run, image and
 * verdict, the customers' for requests. `verdict → stable` is from the verdict to the last request that was still given
 * to the bad release, 0 when there was none.
 */
import { join } from "node:path";
import { deliver, type Delivered, releases, type Release } from "../src/cli/demo/release.ts";
import { openShop, type Shop, startShopCustomers } from "../src/cli/demo/shop.ts";
import type { Customers } from "../src/cli/demo/customers.ts";
import { releaseFigures } from "../src/cli/demo/figures.ts";
import { Client } from "../src/cli/client.ts";
import { table } from "../src/cli/output.ts";
import type { TimelineKind } from "#api";
import { systemClock } from "#lib";
import { startTidegate } from "../test/support/start-tidegate.ts";

const measures = [
  "commit → run started",
  "commit → image",
  "commit → first canary request",
  "verdict → stable",
] as const;
type Measure = (typeof measures)[number];
type Samples = Record<Measure, number[]>;

const json = process.argv.includes("--json");
const runs = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 5);
const signal = new AbortController().signal;

await measure();

async function measure(): Promise<void> {
  await using tidegate = await startTidegate();
  const client = new Client(tidegate.url, tidegate.adminToken, true);
  const shop = await openShop({
    client,
    searchPath: tidegate.env["PATH"] ?? "",
    folder: join(tidegate.scratch, "work"),
    signal,
  });
  const { trafficPort, env } = tidegate;
  await using customers = startShopCustomers({
    nodePath: process.execPath,
    environment: env,
    trafficPort,
    requestsPerSecond: 100,
  });
  const samples: Samples = {
    "commit → run started": [],
    "commit → image": [],
    "commit → first canary request": [],
    "verdict → stable": [],
  };
  const [first, good, bad] = releases;
  if (first === undefined || good === undefined || bad === undefined) throw new Error("The demo has three releases");
  say("Installing the shop");
  await deliver(first, shop, { clock: systemClock, onProgress: () => {}, signal });
  for (let run = 1; run <= runs; run++) {
    say(`Run ${run} of ${runs}`);
    await take(samples, { ...good, shopVersion: `2.0.${run}` }, shop, customers);
    await take(samples, { ...bad, shopVersion: `3.0.${run}` }, shop, customers);
  }
  report(samples);
}

async function take(samples: Samples, release: Release, shop: Shop, customers: Customers): Promise<void> {
  const delivered = await deliver(release, shop, { clock: systemClock, onProgress: () => {}, signal });
  const { pushedMs, endedMs } = delivered;
  const figures = releaseFigures({
    version: release.version,
    shopVersion: release.shopVersion,
    pushedMs,
    endedMs,
    promoted: delivered.delivery.outcome === "live",
    requests: customers.reports.filter((request) => request.sentMs >= pushedMs && request.sentMs <= endedMs),
    events: delivered.events,
  });
  samples["commit → run started"].push(timeOf(delivered, "run-started") - pushedMs);
  samples["commit → image"].push(timeOf(delivered, "image-pushed") - pushedMs);
  samples["commit → first canary request"].push(figures.commitToFirstTrafficMs);
  if (figures.verdictToStableMs !== null) samples["verdict → stable"].push(figures.verdictToStableMs);
}

function timeOf({ events }: Delivered, kind: TimelineKind): number {
  const event = events.find((found) => found.kind === kind);
  return event === undefined ? Number.NaN : Temporal.Instant.from(event.at).epochMilliseconds;
}

function report(samples: Samples): void {
  const figures = measures.map((name) => ({ name, ...summary(samples[name]) }));
  if (json) {
    console.log(JSON.stringify(Object.fromEntries(figures.map(({ name, ...rest }) => [name, rest])), undefined, 2));
    return;
  }
  const rows = figures.map(({ name, medianMs, minMs, maxMs, runs: count }) =>
    [name, medianMs, minMs, maxMs, count].map(String),
  );
  console.log(table(["measure", "median ms", "min ms", "max ms", "runs"], rows));
}

function summary(values: readonly number[]): { medianMs: number; minMs: number; maxMs: number; runs: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => Math.round(sorted[index] ?? Number.NaN);
  return {
    medianMs: at(Math.floor(sorted.length / 2)),
    minMs: at(0),
    maxMs: at(sorted.length - 1),
    runs: sorted.length,
  };
}

function say(text: string): void {
  if (!json) console.error(text);
}
