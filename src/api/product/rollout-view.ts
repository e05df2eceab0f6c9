/** A rollout as the console and `tidegate rollout get` show it. */

export interface RolloutSummary {
  readonly namespace: string;
  readonly name: string;
  readonly phase: string;
  readonly message: string;
  readonly strategy: "canary" | "blueGreen";
  /** 0-based; equals `stepCount` when done. */
  readonly stepIndex: number;
  readonly stepCount: number;
  /** Share of traffic that the newest revision should have, 0 to 100. */
  readonly setWeight: number;
  /** Share it has. */
  readonly actualWeight: number;
  readonly desired: number;
  readonly current: number;
  readonly updated: number;
  readonly ready: number;
  readonly available: number;
  readonly images: readonly { readonly image: string; readonly roles: readonly string[] }[];
}

export interface RolloutDetail extends RolloutSummary {
  readonly steps: readonly RolloutStepView[];
  readonly revisions: readonly RolloutRevisionView[];
  readonly analysisRuns: readonly AnalysisRunView[];
  /** Canary share over time, oldest first; the last entry holds until now. */
  readonly weights: readonly { readonly at: string; readonly weight: number; readonly podHash: string }[];
  readonly actions: readonly RolloutAction[];
}

export const rolloutActions = [
  "promote",
  "promote-full",
  "abort",
  "retry",
  "undo",
  "pause",
  "resume",
  "restart",
] as const;
export type RolloutAction = (typeof rolloutActions)[number];

export interface RolloutStepView {
  readonly index: number;
  /** `setWeight: 10`, `pause: 30s`, `analysis: success-rate`. */
  readonly title: string;
  readonly state: "done" | "current" | "waiting" | "failed";
}

export interface RolloutRevisionView {
  readonly revision: number;
  readonly podHash: string;
  readonly replicaSet: string;
  readonly roles: readonly ("stable" | "canary")[];
  readonly images: readonly string[];
  readonly desired: number;
  readonly ready: number;
  readonly available: number;
  readonly createdAt: string;
  readonly pods: readonly {
    readonly name: string;
    readonly phase: string;
    readonly ready: boolean;
    readonly restarts: number;
  }[];
}

export interface AnalysisRunView {
  readonly name: string;
  readonly podHash: string;
  readonly phase: string;
  readonly message: string;
  readonly startedAt?: string;
  readonly completedAt?: string;
  /** `Step`, `Background`, … */
  readonly role: string;
  readonly metrics: readonly {
    readonly name: string;
    readonly phase: string;
    readonly successCondition?: string;
    readonly failureCondition?: string;
    readonly measurements: readonly {
      readonly phase: string;
      readonly value: string;
      readonly message?: string;
      readonly startedAt?: string;
      readonly finishedAt?: string;
    }[];
  }[];
}
