/** What git needs from others. */
import type { Identity } from "#api";
import type { ObjectReader } from "./objects.ts";
import type { ChangeKind, RefCommand } from "./push-head.ts";
import type { RefRefusal } from "./push-report.ts";
import type { RefUpdate } from "./update-ledger.ts";

export interface PushedUpdate extends RefCommand {
  readonly kind: ChangeKind;
  /** The new commit does not descend from the old one. */
  readonly forced: boolean;
}

export interface Push {
  readonly repository: string;
  readonly updates: readonly PushedUpdate[];
  readonly pusher: Identity;
  /** Sees the pushed objects, which are in quarantine: a refused push leaves nothing of them behind. */
  readonly objects: ObjectReader;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
}

export interface PushVerdict {
  /** Any refusal refuses the whole push: what it brought makes sense together or not at all. */
  readonly refuse?: readonly RefRefusal[];
  /** Printed to the pusher as `remote: …`, refused or not. */
  readonly messages: readonly string[];
  /**
   * More to print, for which the refs need not wait: asked for once the updates are durable and what follows from them has
   * begun. An answer later than the signal is left out. A throw is logged; the push stands.
   */
  readonly later?: (signal: AbortSignal) => Promise<readonly string[]>;
}

/** Looks at a push before it moves anything, and talks to the pusher. */
export interface PushCheckPort {
  /** In quarantine: nothing has moved. The pusher waits, so answer in tens of milliseconds. A throw refuses the push. */
  check(push: Push): Promise<PushVerdict>;
  /**
   * The updates are durable and about to be acknowledged; answers the lines to print (`Run started: <url>`). The
   * pusher waits: an answer later than the signal is left out. A throw is logged; the push stands.
   */
  accepted(updates: readonly RefUpdate[], signal: AbortSignal): Promise<readonly string[]>;
}

/** Accepts everything and says nothing. */
export const noPushChecks: PushCheckPort = {
  check: () => Promise.resolve({ messages: [] }),
  accepted: () => Promise.resolve([]),
};
