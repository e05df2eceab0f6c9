import { events } from "#api";
import { type Clock, fromTimestamp, msBetween } from "#lib";
import type { ObjectApi } from "../object-api.ts";

const intervalMs = 30_000;
/** As upstream's --event-ttl. */
const eventTtlMs = 60 * 60 * 1000;

/** Bookmarks for watchers of quiet resources, and the end of Events nobody looked at. Runs until the signal aborts. */
export async function keepTidy(objects: ObjectApi, clock: Clock, signal: AbortSignal): Promise<void> {
  for (;;) {
    await clock.sleep(intervalMs, signal);
    removeOldEvents(objects, clock.now());
    objects.store.bookmark();
  }
}

function removeOldEvents(objects: ObjectApi, now: Temporal.Instant): void {
  const { store } = objects;
  for (const { metadata, lastTimestamp, eventTime } of store.list(events.plural)) {
    const time = [lastTimestamp, eventTime, metadata.creationTimestamp].find((value) => typeof value === "string");
    if (time === undefined || msBetween(fromTimestamp(time), now) < eventTtlMs) continue;
    store.remove({ resource: events.plural, namespace: metadata.namespace ?? "", name: metadata.name });
  }
}
