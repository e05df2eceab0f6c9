/** Environments of repositories, what was deployed to them, and what waits for a review. */

export interface EnvironmentSettings {
  /** Who may approve: names of tokens or users, teams as `team:<group>`. Empty: nobody has to. */
  readonly reviewers: readonly string[];
  /** Who started a run may not review it. */
  readonly preventSelfReview: boolean;
  /** Whether an administrator may pass the rules over, which is recorded. */
  readonly adminsBypass: boolean;
  /** How long a job waits from when it could have begun. */
  readonly waitMinutes: number;
  /** `selected`: those that `branches` and `tags` match. */
  readonly branchPolicy: "all" | "protected" | "selected";
  readonly branches: readonly string[];
  readonly tags: readonly string[];
}

export interface EnvironmentSummary extends EnvironmentSettings {
  readonly id: number;
  readonly repository: string;
  readonly name: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Who changed it last; of one that a job brought into being, who started that run. */
  readonly updatedBy: string;
  /** The newest, whatever became of it. */
  readonly latest?: DeploymentSummary;
  /** The newest that succeeded and was not replaced. */
  readonly active?: DeploymentSummary;
}

/** The words of GitHub's deployment statuses. */
export type DeploymentState =
  | "waiting"
  | "pending"
  | "queued"
  | "in_progress"
  | "success"
  | "failure"
  | "error"
  | "inactive";

export interface DeploymentSummary {
  readonly id: number;
  readonly repository: string;
  readonly environment: string;
  /** Of its newest status. */
  readonly state: DeploymentState;
  readonly ref: string;
  readonly sha: string;
  readonly task: string;
  readonly description: string;
  readonly creator: string;
  /** Where what was deployed is seen. */
  readonly environmentUrl?: string;
  /** The run and the job that deploy; absent for one that somebody recorded. */
  readonly runId?: string;
  readonly jobId?: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface DeploymentStatus {
  readonly id: number;
  readonly state: DeploymentState;
  readonly creator: string;
  readonly description: string;
  readonly environmentUrl?: string;
  readonly logUrl?: string;
  readonly createdAt: string;
}

/** Jobs of a run that wait at the gate of one environment. */
export interface PendingReview {
  readonly environment: EnvironmentSettings & { readonly id: number; readonly name: string };
  readonly jobs: readonly { readonly id: string; readonly name: string }[];
  /** When the first of them came. */
  readonly since: string;
  /** Somebody has to approve. */
  readonly review: boolean;
  /** Until when the wait timer runs, if it does. */
  readonly waitsUntil?: string;
  /** Then the jobs fail. */
  readonly expiresAt: string;
  /** Of whoever asks. */
  readonly mayReview: boolean;
  /** As an administrator, passing the rules over. */
  readonly mayForce: boolean;
  /** Why not. */
  readonly reason?: string;
}

/** A review that was given. */
export interface RunReview {
  readonly id: string;
  readonly runId: string;
  readonly attempt: number;
  readonly environment: string;
  readonly jobs: readonly string[];
  readonly state: "approved" | "rejected";
  readonly actor: string;
  readonly comment: string;
  /** An administrator passed the rules over. */
  readonly forced: boolean;
  readonly at: string;
}
