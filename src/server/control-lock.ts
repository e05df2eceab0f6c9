/**
 * One control process a data folder. The lock is an advisory one of SQLite's on a file of its own: the kernel frees it
 * when the process ends, however it ends, so a stale lock cannot exist.
 */
import { DatabaseSync } from "node:sqlite";
import { AppError, type Clock, errorMessage } from "#lib";

class ControlLockError extends AppError<"server/already-running"> {}

/** One that has just been told to stop, or whose supervisor was killed, is gone within this time. */
const patienceMs = 5_000;
const lookAgainMs = 50;

/** @throws ControlLockError when another process has it, and keeps it */
export async function takeControlLock(file: string, clock: Clock): Promise<Disposable> {
  const patience = AbortSignal.timeout(patienceMs);
  for (;;) {
    const database = new DatabaseSync(file);
    try {
      database.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA busy_timeout=0; BEGIN EXCLUSIVE; COMMIT");
      return { [Symbol.dispose]: () => database.close() };
    } catch (error) {
      database.close();
      if (patience.aborted) throw taken(file, error);
    }
    await clock.sleep(lookAgainMs, patience).catch(() => {});
  }
}

function taken(file: string, error: unknown): ControlLockError {
  const message = `Cannot start: another Tidegate runs on this data folder (${file} is locked); stop it with "tidegate down" or choose another folder with --home`;
  return new ControlLockError("server/already-running", message, { cause: errorMessage(error) });
}
