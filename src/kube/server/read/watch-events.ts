/** What a watcher with a selection sees of the store's changes. */
import type { AnyObject } from "#api";
import type { StoreChange } from "../../store/store-event.ts";
import type { Selection } from "../select/selection.ts";

export interface SeenChange {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: AnyObject;
}

/**
 * An object that comes to match is ADDED, one that no longer does is DELETED (with its last matching state and the new
 * resourceVersion). Undefined when the change does not concern the watcher.
 */
export function seenChange(change: StoreChange, selection: Selection): SeenChange | undefined {
  switch (change.type) {
    case "ADDED":
      return selection.matches(change.object) ? { type: "ADDED", object: change.object } : undefined;
    case "DELETED":
      return selection.matches(change.previous) ? { type: "DELETED", object: change.object } : undefined;
    case "MODIFIED": {
      const was = selection.matches(change.previous);
      const is = selection.matches(change.object);
      if (is) return { type: was ? "MODIFIED" : "ADDED", object: change.object };
      return was ? { type: "DELETED", object: lastMatching(change.previous, change.object) } : undefined;
    }
  }
}

function lastMatching(previous: AnyObject, object: AnyObject): AnyObject {
  const { resourceVersion } = object.metadata;
  if (resourceVersion === undefined) return previous;
  return { ...previous, metadata: { ...previous.metadata, resourceVersion } };
}
