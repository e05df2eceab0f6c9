import { basename, join } from "node:path";
import type { Command } from "commander";
import type { ArtifactSummary, CacheSummary } from "#api";
import { systemClock } from "#lib";
import { command, type GlobalOptions, openSession, type Session } from "../command.ts";
import { CliError } from "../errors.ts";
import { ago, bytes, print, printJson, table } from "../output.ts";
import { saveResponse } from "../save-response.ts";

/** `runs artifacts` and `runs download`. */
export function addArtifactCommands(runs: Command): void {
  runs.addCommand(
    command("artifacts", "List the artifacts of a run", ["tidegate runs artifacts 12"]).argument("<run>").action(list),
  );
  runs.addCommand(
    command("download", "Download artifacts of a run, all of them unless named", [
      "tidegate runs download 12",
      "tidegate runs download 12 coverage --dir out",
    ])
      .argument("<run>")
      .argument("[names...]")
      .option("--dir <folder>", "where to put them", ".")
      .action(download),
  );
}

export function cacheCommand(): Command {
  const cache = command("cache", "List and delete what workflows have cached", [
    "tidegate cache list --repository acme/shop",
    "tidegate cache delete npm-linux-3f2a --repository acme/shop",
  ]);
  cache.addCommand(
    command("list", "List the entries of a repository, last used first", ["tidegate cache list --repository acme/shop"])
      .requiredOption("--repository <owner/repo>", "whose")
      .action(listCaches),
  );
  cache.addCommand(
    command("delete", "Delete the entries of a key, on all branches", [
      "tidegate cache delete npm-linux-3f2a --repository acme/shop",
    ])
      .argument("<key>")
      .requiredOption("--repository <owner/repo>", "whose")
      .action(deleteCache),
  );
  return cache;
}

async function artifactsOf(session: Session, run: string): Promise<readonly ArtifactSummary[]> {
  const { client, signal } = session;
  const { items } = await client.api<{ items: ArtifactSummary[] }>(`/runs/${encodeURIComponent(run)}/artifacts`, {
    signal,
  });
  return items;
}

async function list(run: string, options: GlobalOptions): Promise<void> {
  const items = await artifactsOf(await openSession(options), run);
  if (options.json === true) return printJson(items);
  const now = systemClock.now();
  const rows = items.map((item) => [
    item.name,
    bytes(item.sizeInBytes),
    ago(item.createdAt, now),
    item.expiresAt.slice(0, 10),
  ]);
  print(items.length === 0 ? `Run ${run} has no artifacts.` : table(["name", "size", "age", "kept until"], rows));
}

interface DownloadOptions extends GlobalOptions {
  readonly dir: string;
}

async function download(run: string, names: readonly string[], options: DownloadOptions): Promise<void> {
  const session = await openSession(options);
  const items = await artifactsOf(session, run);
  const missing = names.filter((name) => !items.some((item) => item.name === name));
  if (missing.length > 0) {
    const there = items.map((item) => item.name).join(", ") || "none";
    throw new CliError("cli/refused", `Run ${run} has no artifact "${missing.join('", "')}"; it has ${there}`);
  }
  const chosen = names.length === 0 ? items : items.filter((item) => names.includes(item.name));
  if (chosen.length === 0) throw new CliError("cli/refused", `Run ${run} has no artifacts`);
  const files: string[] = [];
  for (const item of chosen) files.push(await save(session, item, options.dir));
  if (options.json === true) printJson(files);
  else for (const file of files) print(file);
}

async function save({ client, signal }: Session, item: ArtifactSummary, folder: string): Promise<string> {
  const response = await client.request(`/api/tidegate/v1/artifacts/${item.id}/download`, { accept: "*/*", signal });
  const name = basename(item.name);
  const file = join(folder, item.mimeType === "application/zip" ? `${name}.zip` : name);
  await saveResponse(response, file, signal);
  return file;
}

interface CacheOptions extends GlobalOptions {
  readonly repository: string;
}

async function listCaches(options: CacheOptions): Promise<void> {
  const { client, signal } = await openSession(options);
  const { items } = await client.api<{ items: CacheSummary[] }>(`/caches/${options.repository}`, { signal });
  if (options.json === true) return printJson(items);
  const now = systemClock.now();
  const rows = items.map((item) => [
    item.key,
    item.ref,
    bytes(item.sizeInBytes),
    ago(item.createdAt, now),
    ago(item.lastAccessedAt, now),
  ]);
  print(items.length === 0 ? "No caches." : table(["key", "branch", "size", "age", "last used"], rows));
}

async function deleteCache(key: string, options: CacheOptions): Promise<void> {
  const { client, signal } = await openSession(options);
  const path = `/caches/${options.repository}?key=${encodeURIComponent(key)}`;
  const { deleted } = await client.api<{ deleted: number }>(path, { method: "DELETE", signal });
  if (options.json === true) printJson({ key, deleted });
  else print(`${deleted} ${deleted === 1 ? "entry" : "entries"} of "${key}" deleted.`);
}
