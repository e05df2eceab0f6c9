/** What has to be true of a repository folder before the ledger may be compared with it: see update-ledger.ts, fact 3. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, type Clock, type Log } from "#lib";

/** How long an orphaned git may still hold a lock. It needs milliseconds; after this it is dead and left it behind. */
const lockPatienceMs = 5000;
const lockLookMs = 10;

/** Resolves when no ref is locked. A lock that stays is left of a killed git: it is removed, or nobody could push. */
export async function awaitRefLocks(folder: string, clock: Clock, log: Log, signal: AbortSignal): Promise<void> {
  const deadline = clock.monotonicMs() + lockPatienceMs;
  for (;;) {
    const locks = await refLocks(folder);
    if (locks.length === 0) return;
    if (clock.monotonicMs() >= deadline) {
      for (const lock of locks) {
        log.warn("Removing the ref lock of a git process that was killed", { lock });
        await rm(lock, { force: true });
      }
      return;
    }
    await clock.sleep(lockLookMs, signal);
  }
}

async function refLocks(folder: string): Promise<readonly string[]> {
  const [refs, top] = await Promise.all([entries(join(folder, "refs"), true), entries(folder, false)]);
  return [
    ...refs.filter((name) => name.endsWith(".lock")).map((name) => join(folder, "refs", name)),
    ...top.filter((name) => name === "packed-refs.lock" || name === "HEAD.lock").map((name) => join(folder, name)),
  ];
}

async function entries(folder: string, recursive: boolean): Promise<readonly string[]> {
  try {
    return await readdir(folder, { recursive });
  } catch (error) {
    // A ref's folder may go while it is listed.
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** Quarantined objects of pushes that never ended. Only when no git of a former server runs any more. */
export async function removeQuarantines(folder: string): Promise<void> {
  const objects = join(folder, "objects");
  for (const name of await entries(objects, false)) {
    if (/^(?:tmp_objdir-|incoming-)/.test(name)) await rm(join(objects, name), { recursive: true, force: true });
  }
}
