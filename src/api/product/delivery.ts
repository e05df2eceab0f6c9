/**
 * A delivery is one commit on a default branch on its way to production: one row of the console's first page. It is
 * derived from the timeline and the live objects, never stored.
 */

export const stageNames = ["build", "image", "environment", "canary", "production"] as const;
export type StageName = (typeof stageNames)[number];

/** `waiting` has not begun; `skipped` never will (an earlier stage failed, or a newer commit overtook it). */
export type StageState = "waiting" | "running" | "paused" | "done" | "failed" | "skipped";

export interface DeliveryStage {
  readonly name: StageName;
  readonly state: StageState;
  /** RFC 3339 with milliseconds. */
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** A few words: `3 of 3 jobs`, `sha256:12ab…`, `10 % of traffic, analysis running`. */
  readonly detail: string;
}

/**
 * `delivering` moves; `live` serves all traffic; `replaced` did until a newer one took over; `rolled-back` was tried
 * and taken back; `failed` never reached traffic; `built` has an image and no environment that takes it.
 */
export type DeliveryOutcome = "delivering" | "live" | "replaced" | "rolled-back" | "failed" | "built";

export interface DeliveryView {
  /** Timeline id of the push. */
  readonly id: string;
  readonly repository: string;
  readonly branch: string;
  readonly sha: string;
  /** First line of the commit message. */
  readonly message: string;
  readonly author: string;
  readonly pushedAt: string;
  readonly stages: readonly DeliveryStage[];
  readonly outcome: DeliveryOutcome;
  /** Share of traffic it has now, 0 to 100. */
  readonly weight: number;
  readonly runId?: string;
  readonly image?: string;
  readonly application?: { readonly namespace: string; readonly name: string };
  readonly rollout?: { readonly namespace: string; readonly name: string; readonly podHash: string };
}
