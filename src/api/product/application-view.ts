/** Applications as the console shows them: the tree, the differences, the health. */

export type SyncCode = "Synced" | "OutOfSync" | "Unknown";
export type HealthCode = "Healthy" | "Suspended" | "Progressing" | "Missing" | "Degraded" | "Unknown";

export interface ApplicationSummary {
  readonly namespace: string;
  readonly name: string;
  readonly repoURL: string;
  readonly path: string;
  readonly targetRevision: string;
  readonly destinationNamespace: string;
  readonly sync: SyncCode;
  readonly health: HealthCode;
  readonly revision?: string;
  readonly automated: boolean;
  /** One is asked for and has not begun; the fields below are then those of the one before. */
  readonly operationPending: boolean;
  /** Phase of the last or running operation. */
  readonly operationPhase?: string;
  readonly operationMessage?: string;
  /** In whole seconds: two operations may have the same. */
  readonly operationStartedAt?: string;
  readonly images: readonly string[];
}

export interface ApplicationDetail extends ApplicationSummary {
  readonly conditions: readonly { readonly type: string; readonly message: string; readonly at?: string }[];
  readonly history: readonly { readonly id: number; readonly revision: string; readonly deployedAt: string }[];
  readonly tree: readonly ResourceNode[];
}

/** A managed object or a child of one, by owner references. */
export interface ResourceNode {
  readonly uid: string;
  readonly parentUid?: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly createdAt?: string;
  readonly sync?: SyncCode;
  readonly health?: HealthCode;
  readonly healthMessage?: string;
  /** Short facts: `ready 2/2`, `revision 3`. */
  readonly info: readonly string[];
}

export interface ResourceDiff {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly change: "none" | "create" | "update" | "prune";
  /** YAML, normalised so that only what differs differs; empty when absent. */
  readonly live: string;
  readonly target: string;
}
