/** One release of the demo: change the shop, push, and watch until it is live or taken back. */
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DeliveryView, RecordedEvent, Trace } from "#api";
import { type Clock } from "#lib";
import type { Client } from "../client.ts";
import { CliError } from "../errors.ts";
import { commitAndPush, type GitAccess } from "../scaffold/git-work.ts";
import { examplesFolder } from "../scaffold/templates.ts";

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
  readonly client: Client;
  readonly access: GitAccess;
  readonly folder: string;
  readonly repository: string;
  readonly clock: Clock;
  readonly onProgress: (delivery: DeliveryView) => void;
  readonly signal: AbortSignal;
}

const author = { name: "Ada", email: "ada@example.com" };
/** The customers' last answers of the old version come a moment after the timeline says it is over. */
const settleMs = 1200;

export async function deliver(release: Release, options: DeliverOptions): Promise<Delivered> {
  const { client, access, folder, repository, clock, signal } = options;
  if (release.overlay !== undefined)
    await cp(join(examplesFolder, "releases", release.overlay), folder, { recursive: true });
  await setVersion(join(folder, "package.json"), release.shopVersion);
  const pushedMs = clock.now().epochMilliseconds;
  const sha = await commitAndPush(access, folder, repository, release.message, author);
  const delivery = await untilDecided(client, sha, options);
  await clock.sleep(settleMs, signal);
  const endedMs = clock.now().epochMilliseconds;
  const { events } = await client.api<Trace>(`/trace/${repository}@${sha}`);
  return { sha, pushedMs, endedMs, delivery, events };
}

async function setVersion(file: string, version: string): Promise<void> {
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace(/"version": "[^"]*"/, `"version": "${version}"`));
}

async function untilDecided(
  client: Client,
  sha: string,
  { signal, onProgress }: DeliverOptions,
): Promise<DeliveryView> {
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
  throw new CliError("cli/failed", "The server went away before the release was decided");
}
