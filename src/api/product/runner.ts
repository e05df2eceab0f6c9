/** Runners of workflow jobs, as the product API tells of them. */
export interface RunnerSummary {
  readonly id: string;
  readonly name: string;
  readonly labels: readonly string[];
  readonly group: string;
  /** `busy`: has jobs, whether it is heard of or not. */
  readonly state: "idle" | "busy" | "offline";
  /** Takes one job; then its registration ends. */
  readonly ephemeral: boolean;
  /** Of another machine; the others are this server's own. */
  readonly registered: boolean;
  readonly jobs: readonly { readonly id: string; readonly runId: string; readonly name: string }[];
  /** RFC 3339; absent: never. */
  readonly lastSeenAt?: string;
}
