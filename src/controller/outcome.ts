/**
 * What a reconcile came to, as data. A throw means "transient: back off and try again"; there is no bare "requeue",
 * since "try again, unspecified why" helps nobody at 2 a.m.
 */
export type Outcome =
  /** Nothing to do until something changes. */
  | { readonly kind: "settled" }
  /** Come back after `ms` even if nothing changes, because of `reason`. */
  | { readonly kind: "wait"; readonly ms: number; readonly reason: string }
  /** Cannot go on until a person changes something; the object's conditions say so. */
  | { readonly kind: "stalled"; readonly reason: string; readonly message: string };

export const settled: Outcome = { kind: "settled" };

/** Names the object to reconcile, never the event: reconciling is level-based. `namespace` is "" for cluster-scoped kinds. */
export interface Request {
  readonly namespace: string;
  readonly name: string;
}

export function requestKey(request: Request): string {
  return `${request.namespace}/${request.name}`;
}
