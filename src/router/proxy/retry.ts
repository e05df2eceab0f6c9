/** Whether a request that failed before its answer may be tried again. Pure. */

export type UpstreamFailure =
  /** The connection never came to be, so nothing was sent. */
  | { readonly kind: "connect"; readonly timedOut: boolean }
  /** It ended before the first byte of a response. `reused`: it had carried another request before. */
  | { readonly kind: "no-response"; readonly reused: boolean }
  /** The answer did not begin in time. */
  | { readonly kind: "timeout" }
  /** What came was no HTTP response, or it ended inside the head. */
  | { readonly kind: "bad-response"; readonly reason: string };

export interface Attempted {
  readonly attempts: number;
  readonly maxAttempts: number;
  /** An idempotent method without a body. */
  readonly replayable: boolean;
}

export type AfterFailure =
  /** `elsewhere`: not on that endpoint. `fresh`: on a new connection. */
  | { readonly act: "retry"; readonly where: "elsewhere" | "fresh" }
  | { readonly act: "answer"; readonly status: 502 | 504 };

/**
 * A connection that was refused is tried elsewhere for any method, since nothing was sent. A reused connection that
 * closed without a byte was most likely closed as idle while our request was on its way: sent again if that is harmless.
 * Everything else may have had an effect, and is answered.
 */
export function afterUpstreamFailure(failure: UpstreamFailure, request: Attempted): AfterFailure {
  const again = request.attempts < request.maxAttempts;
  switch (failure.kind) {
    case "connect":
      return again ? { act: "retry", where: "elsewhere" } : { act: "answer", status: failure.timedOut ? 504 : 502 };
    case "no-response":
      if (failure.reused && request.replayable && again) return { act: "retry", where: "fresh" };
      return { act: "answer", status: 502 };
    case "timeout":
      return { act: "answer", status: 504 };
    case "bad-response":
      return { act: "answer", status: 502 };
  }
}

/** For the body of an error answer. */
export function describeFailure(failure: UpstreamFailure): string {
  switch (failure.kind) {
    case "connect":
      return failure.timedOut ? "the endpoint did not accept in time" : "no endpoint of the service could be reached";
    case "no-response":
      return "the endpoint closed the connection without an answer";
    case "timeout":
      return "the endpoint did not answer in time";
    case "bad-response":
      return `invalid answer of the endpoint (${failure.reason})`;
  }
}
