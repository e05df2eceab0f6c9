/**
 * One watch that lasts: the server ends its own after some minutes, and connections break; then it goes on from the last
 * version that was seen, so that nothing is missed and nothing comes twice.
 */
import type { KubeObject, ResourceType } from "#api";
import { backoffDelayMs, type Backoff, type Clock, isObject } from "#lib";
import type { WatchEvent, WatchOptions } from "../cluster.ts";
import { isKubeError, kubeErrorOf } from "../kube-error.ts";
import type { Connection } from "./connection.ts";
import { jsonLines } from "./json-lines.ts";
import { collectionPath, query } from "./resource-paths.ts";

const reconnect: Backoff = { initialMs: 100, factor: 2, maxMs: 10_000, jitter: 0.5 };
/** The server's own choice is between 30 and 60 minutes; ours spreads the same way less coarsely. */
const watchSeconds = 300;

export async function* watchRemote<T extends KubeObject>(
  connection: Connection,
  clock: Clock,
  type: ResourceType<T>,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const { signal, labelSelector, fieldSelector } = options;
  let { resourceVersion } = options;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const parameters = { watch: true, allowWatchBookmarks: true, timeoutSeconds: watchSeconds };
      const selectors = { labelSelector, fieldSelector, resourceVersion };
      const path = collectionPath(type, options.namespace) + query({ ...parameters, ...selectors });
      const response = await connection.open({ method: "GET", path, signal });
      failures = 0;
      for await (const line of jsonLines(response as AsyncIterable<Uint8Array>)) {
        const event = readEvent<T>(line);
        resourceVersion = event.type === "BOOKMARK" ? event.resourceVersion : versionOf(event.object, resourceVersion);
        yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isTransient(error)) throw error;
      await clock.sleep(backoffDelayMs(reconnect, failures++, 0.5), signal).catch(() => {});
    }
  }
}

/** Throws what an event of type ERROR says, `Expired` above all. */
function readEvent<T extends KubeObject>(line: unknown): WatchEvent<T> {
  const { type, object } = isObject(line) ? line : {};
  if (type === "ERROR") throw kubeErrorOf(isObject(object) ? object : {}, 500);
  const typed = object as T;
  if (type === "BOOKMARK") return { type, resourceVersion: versionOf(typed, "0") };
  return { type: type as "ADDED" | "MODIFIED" | "DELETED", object: typed };
}

function versionOf(object: KubeObject, otherwise: string): string {
  return object.metadata.resourceVersion ?? otherwise;
}

/** What the server refuses for good ends the watch: a version too old, rights that are not there, a kind that is gone. */
function isTransient(error: unknown): boolean {
  const lasting = [
    "Expired",
    "Forbidden",
    "Unauthorized",
    "NotFound",
    "BadRequest",
    "Invalid",
    "MethodNotAllowed",
  ] as const;
  return !lasting.some((reason) => isKubeError(error, reason));
}
