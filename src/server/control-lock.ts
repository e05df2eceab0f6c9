/**
 * One control process a data folder. The lock is an advisory one of SQLite's on a file of its own: the kernel frees it
 * when the process ends, however it ends, so a stale lock cannot exist.
 */
import { DatabaseSync } from "node:sqlite";
import { AppError, errorMessage } from "#lib";

class ControlLockError extends AppError<"server/already-running"> {}

/** @throws ControlLockError when another process has it */
export function takeControlLock(file: string): Disposable {
  const database = new DatabaseSync(file);
  try {
    database.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA busy_timeout=0; BEGIN EXCLUSIVE; COMMIT");
  } catch (error) {
    database.close();
    const message = `Cannot start: another Tidegate runs on this data folder (${file} is locked); stop it with "tidegate down" or choose another folder with --home`;
    throw new ControlLockError("server/already-running", message, { cause: errorMessage(error) });
  }
  return { [Symbol.dispose]: () => database.close() };
}
