/**
 * Keeps repositories quick without ever deleting an object: small packs and loose objects are rolled into larger packs
 * so that sizes grow geometrically (a push costs the same on average however many came before), and refs into one file.
 * Commits that no branch reaches any more stay: runs and rollbacks still name them.
 */
import type { Log } from "#lib";
import { gitEnvironment, gitOutput, type GitHost } from "./git-process.ts";
import type { UpdateLedger } from "./update-ledger.ts";

export interface MaintenanceOptions {
  readonly host: GitHost;
  readonly ledger: UpdateLedger;
  readonly log: Log;
  /** The folder of a repository by its name, if it is still there. */
  readonly folderOf: (name: string) => Promise<string | undefined>;
}

/** Each push adds a pack or a few dozen loose objects; reading slows down noticeably at some hundreds. */
const updatesBetween = 100;

/** Looks after each repository whenever it has seen another hundred updates. Ends with the signal. */
export async function maintain(options: MaintenanceOptions, signal: AbortSignal): Promise<void> {
  const { ledger, log, folderOf } = options;
  const counts = new Map<string, number>();
  for await (const { repository } of ledger.updates.follow(await ledger.lastSequence(), signal)) {
    const count = (counts.get(repository) ?? 0) + 1;
    counts.set(repository, count % updatesBetween);
    if (count < updatesBetween) continue;
    const folder = await folderOf(repository);
    if (folder === undefined) continue;
    try {
      await repack(options.host, folder, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.warn("Cannot repack a repository", { repository, error });
    }
  }
}

/** Safe beside pushes and fetches: git writes the new before it removes the old, and readers look again. */
export async function repack(host: GitHost, folder: string, signal: AbortSignal): Promise<void> {
  const run = { folder, environment: gitEnvironment(host), signal };
  await gitOutput(["repack", "--geometric=2", "-d", "--quiet"], run);
  await gitOutput(["pack-refs", "--all"], run);
}
