/** What expressions evaluate to at one instant. */
import type { Labels } from "../labels.ts";

export interface VectorSample {
  readonly labels: Labels;
  readonly value: number;
}

export interface Point {
  readonly timeMs: number;
  readonly value: number;
}

export interface RangeSeries {
  readonly labels: Labels;
  readonly points: readonly Point[];
}

export type Value =
  | { readonly type: "scalar"; readonly value: number }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "vector"; readonly samples: readonly VectorSample[] }
  /** `startMs` (exclusive) and `endMs` bound the range that was asked for, which extrapolation needs. */
  | {
      readonly type: "matrix";
      readonly series: readonly RangeSeries[];
      readonly startMs: number;
      readonly endMs: number;
    };

export const metricName: ReadonlySet<string> = new Set(["__name__"]);
