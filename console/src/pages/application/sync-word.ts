import type { SyncCode } from "#api";

export function syncWord(sync: SyncCode): string {
  return sync === "OutOfSync" ? "Out of sync" : sync;
}
