/** What control process and router say to each other: HTTP with JSON over a Unix socket that only its owner may open. */

/** Raised when either side changes what it means. A router of another protocol is replaced, not talked to. */
export const controlProtocol = 1;

export interface RouterStatus {
  readonly protocol: number;
  readonly pid: number;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly epoch: string;
  readonly generation: number;
  readonly listen: { readonly host: string; readonly port: number };
  /** It accepts nothing any more and will end. */
  readonly stopping: boolean;
  /** Requests in flight by address of endpoints that are no longer in the table. */
  readonly draining: Readonly<Record<string, number>>;
}

/** First message of a started router to its parent, over the child's IPC channel. */
export type StartReport =
  | { readonly kind: "ready"; readonly port: number }
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

export const epochHeader = "x-table-epoch";

/** In the router's folder: what a restarted control process knows it by, should it not answer. */
export const identityFile = "process.json";
