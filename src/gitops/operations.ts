/** Which operation an Application is in, and what follows from time alone: starting, retrying, ending. Pure. */
import type { Application, ApplicationSource, Operation, OperationState } from "#api";
import { fromTimestamp, msBetween, toTimestamp } from "#lib";
import { mayRetry, retryDelayMs } from "./sync/retry.ts";

export function isRunning(state: OperationState | undefined): state is OperationState {
  return state?.phase === "Running" || state?.phase === "Terminating";
}

export function startedOperation(
  operation: Operation,
  at: { readonly revision: string; readonly source: ApplicationSource; readonly now: Temporal.Instant },
): OperationState {
  const { revision, source, now } = at;
  return { operation, phase: "Running", startedAt: toTimestamp(now), retryCount: 0, syncResult: { revision, source } };
}

/** The last attempt failed, and another one will be made. */
export function isBetweenAttempts(state: OperationState | undefined): state is OperationState {
  return state?.phase === "Running" && state.finishedAt !== undefined;
}

/**
 * An automated sync that waits for its next attempt while another commit is `wanted` by now, as its end: whoever mends
 * or reverts what was refused must not wait for the retries of the refused commit. Undefined when it goes on.
 */
export function superseded(state: OperationState | undefined, wanted: string): OperationState | undefined {
  if (!isBetweenAttempts(state) || state.operation.initiatedBy?.automated !== true) return undefined;
  if (state.syncResult === undefined || state.syncResult.revision === wanted) return undefined;
  const failure = (state.message ?? "").replace(/\. Retrying attempt #\d+ at \S+$/, "");
  return { ...state, phase: "Failed", message: `${failure}. Given up for ${wanted}` };
}

/** Milliseconds until a failed attempt may be tried again; undefined when the operation is not between attempts. */
export function msToRetry(state: OperationState, now: Temporal.Instant): number | undefined {
  if (!isBetweenAttempts(state) || state.finishedAt === undefined) return undefined;
  const delay = retryDelayMs(state.operation.retry ?? {}, state.retryCount ?? 0);
  return Math.max(0, delay - msBetween(fromTimestamp(state.finishedAt), now));
}

/** A failed attempt as the end, or as a pause before the next attempt. */
export function afterAttempt(state: OperationState, now: Temporal.Instant): OperationState {
  if (state.phase !== "Failed" || !mayRetry(state)) return state;
  const delay = retryDelayMs(state.operation.retry ?? {}, state.retryCount ?? 0);
  const at = toTimestamp(now.add({ milliseconds: delay }));
  const message = `${state.message ?? ""}. Retrying attempt #${(state.retryCount ?? 0) + 1} at ${at}`;
  return { ...state, phase: "Running", message };
}

/** The next attempt: everything is done anew, at the same commit unless the retry says otherwise. */
export function nextAttempt(state: OperationState, revision: string): OperationState {
  const { finishedAt: _finishedAt, syncResult, ...rest } = state;
  const source = syncResult?.source;
  return {
    ...rest,
    retryCount: (state.retryCount ?? 0) + 1,
    syncResult: { revision, ...(source === undefined ? {} : { source }) },
  };
}

/** What an operation brings: its own source (a rollback) or that of the spec. */
export function operationSource(application: Application, operation: Operation): ApplicationSource | undefined {
  return operation.sync?.source ?? application.spec.source;
}
