/** What the demo's customers report: one line of JSON a request, from their process to the demo's. */

export interface RequestReport {
  /** Milliseconds since 1970. */
  readonly sentMs: number;
  readonly doneMs: number;
  /** 0 when no answer came at all. */
  readonly status: number;
  /** `x-shop-version` of the answer; "" when it had none. */
  readonly version: string;
}

/** An answer of the server's fault, or none: what a customer would call broken. */
export function isFailure(report: RequestReport): boolean {
  return report.status === 0 || report.status >= 500;
}
