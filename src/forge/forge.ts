/** All that a repository has beside its commits: pull requests, issues, statuses, checks, releases. */
import { join } from "node:path";
import type { Clock, Database, Ids, Log } from "#lib";
import { AssetFiles } from "./asset-files.ts";
import { Checks } from "./checks.ts";
import { EventLog } from "./event-log.ts";
import { Issues } from "./issues.ts";
import { Labels } from "./labels.ts";
import type { ChecksPort, CommitsPort } from "./ports.ts";
import { Pulls } from "./pulls.ts";
import { Releases } from "./releases.ts";
import { Reviews } from "./reviews.ts";
import { Outbox } from "./outbox.ts";
import { Remotes } from "./remotes.ts";
import { openTables, type ForgeDatabase } from "./schema.ts";
import { Statuses } from "./statuses.ts";

export interface ForgeOptions {
  readonly database: Database;
  /** Files of releases go to `assets/` in it. */
  readonly folder: string;
  readonly commits: CommitsPort;
  readonly checks: ChecksPort;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

export interface Forge {
  readonly events: EventLog;
  readonly statuses: Statuses;
  readonly checks: Checks;
  readonly issues: Issues;
  readonly labels: Labels;
  readonly pulls: Pulls;
  readonly reviews: Reviews;
  readonly releases: Releases;
  readonly assets: AssetFiles;
  readonly remotes: Remotes;
  readonly outbox: Outbox;
  /** Everything of a repository that is being deleted. */
  forget(repositoryId: string): Promise<void>;
}

export async function openForge(options: ForgeOptions): Promise<Forge> {
  const { clock, ids, log, commits, checks } = options;
  const db = await openTables(options.database);
  const events = new EventLog(db, clock);
  const parts = { db, clock, events };
  const remotes = new Remotes(db, clock, ids);
  const releases = new Releases(parts);
  const assets = new AssetFiles(join(options.folder, "assets"), ids);
  await assets.open(await releases.files());
  return {
    events,
    statuses: new Statuses(db, clock, events),
    checks: new Checks(db, clock, events),
    issues: new Issues(parts),
    labels: new Labels(db),
    pulls: new Pulls({ ...parts, log, commits, checks, remotes }),
    reviews: new Reviews(parts),
    releases,
    assets,
    remotes,
    outbox: new Outbox({ db, clock, ids, log }),
    forget: (repositoryId) => forget(db, assets, repositoryId),
  };
}

const tables = [
  "forge_issues",
  "forge_labels",
  "forge_statuses",
  "forge_check_runs",
  "forge_check_suites",
  "forge_releases",
  "forge_numbers",
  "forge_forks",
  "forge_remotes",
  "forge_deliveries",
  "forge_outbox",
] as const;

async function forget(db: ForgeDatabase, assets: AssetFiles, repositoryId: string): Promise<void> {
  const files = await db.transaction().execute(async (tx) => {
    const rows = await tx.selectFrom("forge_assets").select("file").where("repository_id", "=", repositoryId).execute();
    for (const table of tables) await tx.deleteFrom(table).where("repository_id", "=", repositoryId).execute();
    return rows.map((row) => row.file);
  });
  for (const file of files) await assets.remove(file);
}
