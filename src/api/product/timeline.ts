/** The one timeline: every happening names its causes, so that one can walk from a commit to what serves, and back. */

export const timelineKinds = [
  "push",
  "run-started",
  "run-completed",
  "image-pushed",
  "environment-commit",
  "sync-started",
  "sync-completed",
  "rollout-started",
  "rollout-step",
  "rollout-promoted",
  "rollout-aborted",
  "rollout-restored",
  "analysis-completed",
  "approval",
  "action",
] as const;
export type TimelineKind = (typeof timelineKinds)[number];

export type TimelineTone = "good" | "bad" | "neutral";

export interface TimelineEvent {
  /** Derived from what happened, so that recording a happening twice is recording it once. */
  readonly id: string;
  readonly kind: TimelineKind;
  /** RFC 3339 with milliseconds. */
  readonly at: string;
  /** What it happened to: `acme/shop@<sha>`, `default/shop`. */
  readonly subject: string;
  /** One line for people. Never holds a secret. */
  readonly title: string;
  readonly tone: TimelineTone;
  /** Who did it, where a person or token did. */
  readonly actor?: string;
  /** Ids of the events that made this one happen; they may be recorded later than it. */
  readonly causes: readonly string[];
  /** Facts for programs: shas, digests, weights, run ids. */
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

/** An event as stored: with its place in the order of recording. */
export interface RecordedEvent extends TimelineEvent {
  readonly sequence: number;
}

/** What a walk from one event found: all its causes and all its effects, each once, oldest first. */
export interface Trace {
  readonly from: string;
  readonly events: readonly RecordedEvent[];
}
