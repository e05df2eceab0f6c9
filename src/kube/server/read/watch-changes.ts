/** A watch of one kind, from a revision on, as an endless sequence. */
import { ChannelOverflowError } from "#lib";
import type { AnyObject } from "#api";
import { KubeError } from "../../client/kube-error.ts";
import type { StoreChange } from "../../store/store-event.ts";
import { asVersion, type ObjectApi } from "../object-api.ts";
import type { ServedKind } from "../registry/served-kind.ts";
import type { Selection } from "../select/selection.ts";
import { parseResourceVersion, requireReached } from "./resource-version.ts";
import { seenChange } from "./watch-events.ts";

export type WatchedEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: AnyObject }
  /** `initial`: everything that was there at the start has been given. */
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string; readonly initial?: true };

export interface WatchRequest {
  readonly selection: Selection;
  /** "" or "0": what is there now comes first, as ADDED. */
  readonly resourceVersion: string;
  /** What is there now comes first whatever the resourceVersion, and a bookmark after it. */
  readonly sendInitialEvents?: boolean;
  readonly signal: AbortSignal;
}

/**
 * The subscription and the reading of the past happen in this call, in one synchronous step, so nothing is missed or
 * repeated however late the first event is asked for. Throws Expired at once when the past is gone, and later when the
 * reader falls too far behind.
 */
export function watchChanges(objects: ObjectApi, kind: ServedKind, request: WatchRequest): AsyncIterable<WatchedEvent> {
  const { store } = objects;
  const { selection, signal } = request;
  const since = parseResourceVersion(request.resourceVersion) ?? 0;
  requireReached(since, store.revision);
  const fromNow = since === 0 || request.sendInitialEvents === true;
  const initial = fromNow ? objects.list(kind, selection) : [];
  const past = fromNow ? [] : store.changesAfter(kind.resource, since);
  const start = String(store.revision);
  const live = store.subscribe(kind.resource, signal);

  async function* events(): AsyncGenerator<WatchedEvent> {
    using subscription = live;
    for (const object of initial) yield { type: "ADDED", object };
    if (request.sendInitialEvents === true) yield { type: "BOOKMARK", resourceVersion: start, initial: true };
    for (const change of past) {
      const event = see(change);
      if (event !== undefined) yield event;
    }
    try {
      for await (const change of subscription) {
        if (change.type === "BOOKMARK") yield { type: "BOOKMARK", resourceVersion: String(change.revision) };
        else {
          const event = see(change);
          if (event !== undefined) yield event;
        }
      }
    } catch (error) {
      if (!(error instanceof ChannelOverflowError)) throw error;
      throw new KubeError("Expired", "The watch fell too far behind the changes: list again", {}, error);
    }
  }

  function see(change: StoreChange): WatchedEvent | undefined {
    const event = seenChange(change, selection);
    return event === undefined ? undefined : { type: event.type, object: asVersion(kind, event.object) };
  }

  return events();
}
