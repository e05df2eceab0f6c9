/**
 * A registry client that outlasts a registry which is away for a moment (a restart): what fails for that reason is done
 * again, whole. Every operation may be: blobs and manifests are named by what they hold, and each asks first what is
 * already there.
 */
import { backoffDelayMs, type Clock, withDeadline } from "#lib";
import { ImageError } from "../errors.ts";
import type { RegistryClient } from "./client.ts";

export interface Patience {
  /** How long an operation with this host may go on being tried; 0: once. */
  readonly forHostMs: (host: string) => number;
  /** Said once an operation, so that whoever waits knows why. */
  readonly onWait: (message: string) => void;
}

const again = { initialMs: 100, factor: 2, maxMs: 1000, jitter: 0 };

export function persistentRegistryClient(client: RegistryClient, patience: Patience, clock: Clock): RegistryClient {
  async function persist<T>(host: string, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
    const over = withDeadline(signal, patience.forHostMs(host));
    for (let attempt = 0; ; attempt++) {
      try {
        return await act();
      } catch (error) {
        if (over.aborted || !isPassing(error)) throw error;
        if (attempt === 0)
          patience.onWait(`Registry "${host}" does not answer as it should, trying on: ${error.message}`);
      }
      await clock.sleep(backoffDelayMs(again, attempt, 0), over).catch(() => {});
      signal.throwIfAborted();
    }
  }
  return {
    getManifest: (reference, signal) => persist(reference.host, signal, () => client.getManifest(reference, signal)),
    readBlob: (reference, digest, signal) =>
      persist(reference.host, signal, () => client.readBlob(reference, digest, signal)),
    pullBlob: (reference, digest, path, signal) =>
      persist(reference.host, signal, () => client.pullBlob(reference, digest, path, signal)),
    pushBlob: (reference, blob, mountFrom, signal) =>
      persist(reference.host, signal, () => client.pushBlob(reference, blob, mountFrom, signal)),
    pushManifest: (reference, bytes, mediaType, signal) =>
      persist(reference.host, signal, () => client.pushManifest(reference, bytes, mediaType, signal)),
    checkLogin: (host, signal) => persist(host, signal, () => client.checkLogin(host, signal)),
  };
}

/** Whether the same may succeed a moment later: no connection, or the registry's own trouble. */
function isPassing(error: unknown): error is ImageError {
  if (!(error instanceof ImageError)) return false;
  if (error.code === "images/registry-unreachable") return true;
  const status = error.details?.status ?? 0;
  return error.code === "images/registry-refused" && (status >= 500 || status === 429);
}
