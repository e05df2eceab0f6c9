import type { AnyObject } from "#api";
import type { ObjectKey } from "./object-key.ts";

/**
 * One committed change. Revisions are dense: each change takes the next one. `object` carries the change's revision as
 * its resourceVersion, also for DELETED, where it is the last state otherwise.
 */
export type StoreChange = { readonly revision: number; readonly key: ObjectKey; readonly object: AnyObject } & (
  | { readonly type: "ADDED"; readonly previous?: undefined }
  | { readonly type: "MODIFIED" | "DELETED"; readonly previous: AnyObject }
);

/** What subscribers of a resource receive: its changes in order, and now and then how far the whole store has come. */
export type StoreEvent = StoreChange | { readonly type: "BOOKMARK"; readonly revision: number };
