/** One release of the demo: change the shop, push, and watch until it is live or taken back. */
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DeliveryView, RecordedEvent, Trace } from "#api";
import { type Clock } from "#lib";
import { CliError } from "../errors.ts";
import { commitAndPush } from "../scaffold/git-work.ts";
import { examplesFolder } from "../scaffold/templates.ts";
import type { Shop } from "./shop.ts";

export interface Release {
  readonly version: string;
  readonly shopVersion: string;
  readonly message: string;
  /** Folder of `examples/releases` laid over the shop. */
  readonly overlay: string | undefined;
}

export const releases: readonly Release[] = [
  { version: "v1", shopVersion: "1.0.0", message: "Open the shop", overlay: undefined },
  { version: "v2", shopVersion: "2.0.0", message: "Show prices on the home page", overlay: "v2" },
  { version: "v3", shopVersion: "3.0.0", message: "Show what is in stock", overlay: "v3" },
];

export interface Delivered {
  readonly sha: string;
  readonly pushedMs: number;
  readonly endedMs: number;
  readonly delivery: DeliveryView;
  readonly events: readonly RecordedEvent[];
}

export interface DeliverOptions {
  readonly clock: Clock;
  readonly onProgress: (delivery: DeliveryView) => void;
  readonly signal: AbortSignal;
}

const author = { name: "Ada", email: "ada@example.com" };
/** The customers' last answers of the old version come a moment after the timeline says it is over. */
const settleMs = 1200;

/** How long the server may be away; a restart takes it a second or two. */
const patienceMs = 60_000;
const reconnectMs = 50;
const connectMs = 1_000;

export async function deliver(release: Release, shop: Shop, options: DeliverOptions): Promise<Delivered> {
  const { access, folder, repository } = shop;
  const { clock, signal } = options;
  if (release.overlay !== undefined)
    await cp(join(examplesFolder, "releases", release.overlay), folder, { recursive: true });
  await setVersion(join(folder, "package.json"), release.shopVersion);
  const pushedMs = clock.now().epochMilliseconds;
  const sha = await commitAndPush(access, folder, repository, release.message, author);
  const delivery = await persist(() => watchDelivery(shop, sha, options), options);
  await clock.sleep(settleMs, signal);
  const endedMs = clock.now().epochMilliseconds;
  const { events } = await persist(() => shop.client.api<Trace>(`/trace/${repository}@${sha}`, { signal }), options);
  return { sha, pushedMs, endedMs, delivery, events };
}

async function setVersion(file: string, version: string): Promise<void> {
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace(/"version": "[^"]*"/, `"version": "${version}"`));
}

/** The server may be restarted meanwhile: it goes on where it was, and so do we. */
async function persist<T>(act: () => Promise<T | undefined>, { clock, signal }: DeliverOptions): Promise<T> {
  let lostMs: number | undefined;
  for (;;) {
    const beganMs = clock.monotonicMs();
    try {
      const result = await act();
      if (result !== undefined) return result;
    } catch (error) {
      if (!(error instanceof CliError) || error.code !== "cli/not-running") throw error;
      const nowMs = clock.monotonicMs();
      // What took so long to fail had been connected.
      if (nowMs - beganMs > connectMs) lostMs = undefined;
      lostMs ??= nowMs;
      if (nowMs - lostMs > patienceMs) throw error;
    }
    await clock.sleep(reconnectMs, signal);
  }
}

/** Undefined when the server ended the connection before the release was decided. */
async function watchDelivery(
  { client }: Shop,
  sha: string,
  { signal, onProgress }: DeliverOptions,
): Promise<DeliveryView | undefined> {
  for await (const _change of client.changes(["deliveries"], signal)) {
    const { items } = await client.api<{ items: DeliveryView[] }>("/deliveries?limit=5", { signal });
    const mine = items.find((item) => item.sha === sha);
    if (mine === undefined) continue;
    onProgress(mine);
    if (mine.outcome === "live" || mine.outcome === "rolled-back") return mine;
    if (mine.outcome === "failed") {
      const stage = mine.stages.find(({ state }) => state === "failed");
      throw new CliError("cli/failed", `The release of ${sha.slice(0, 7)} failed at ${stage?.name}: ${stage?.detail}`);
    }
  }
  return undefined;
}
