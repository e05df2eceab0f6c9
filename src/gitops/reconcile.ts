/**
 * One look at one Application: observe (repository, cluster), compare, decide, act, write what was found. It never
 * touches what runs when the source cannot be read or rendered.
 */
import {
  refreshAnnotation,
  type Application,
  type ApplicationCondition,
  type Operation,
  type OperationState,
} from "#api";
import { errorMessage, isAbort, toTimestamp } from "#lib";
import { settled, type Outcome, type Request } from "#controller";
import { deleteApplication } from "./delete-application.ts";
import { noRefresh, type Observed, type Refresh } from "./observe.ts";
import { RunningOperation, type OperatorParts } from "./operate.ts";
import {
  isBetweenAttempts,
  isRunning,
  msToRetry,
  operationSource,
  startedOperation,
  superseded,
} from "./operations.ts";
import type { SourcePort } from "./ports.ts";
import { condition, nextStatus } from "./status.ts";
import { decideAutoSync } from "./sync/auto-sync.ts";

export interface ReconcileParts extends OperatorParts {
  readonly source: SourcePort;
}

/** Others' repositories are asked again after this time; ours announce what happens to them. */
const foreignRefreshMs = 180_000;
/** After a failure to read the repository. */
const failedRefreshMs = 60_000;

export class ApplicationReconciler {
  readonly #parts: ReconcileParts;
  readonly #refresh = new Set<string>();

  constructor(parts: ReconcileParts) {
    this.#parts = parts;
  }

  /** The next pass asks the repository again. */
  requestRefresh({ namespace, name }: Request): void {
    this.#refresh.add(`${namespace}/${name}`);
  }

  async reconcile(request: Request, signal: AbortSignal): Promise<Outcome> {
    const { store } = this.#parts;
    const application = await store.get(request, signal);
    if (application === undefined) return settled;
    if (application.metadata.deletionTimestamp !== undefined)
      return await deleteApplication(this.#parts, application, signal);
    const refresh = this.#takeRefresh(request, application);
    try {
      return await this.#pass(application, refresh, signal);
    } catch (error) {
      if (refresh.wanted) this.requestRefresh(request);
      throw error;
    }
  }

  async #pass(application: Application, refresh: Refresh, signal: AbortSignal): Promise<Outcome> {
    const { store, events, observer } = this.#parts;
    const observed = await observer.observe(application, refresh, signal);
    const decided = await this.#decide(application, observed, signal);
    const status = { ...nextStatus(application, { ...observed.finding, conditions: decided.conditions }) };
    if (decided.state !== undefined) status.operationState = decided.state;
    // A request that comes while another operation runs stays until that one is over.
    const taken = { operation: decided.state !== undefined, refresh: true };
    const begun = await store.writeStatus(application, status, taken, signal);
    await events.statusChanged(application, begun, signal);
    if (!isRunning(begun.status?.operationState)) return this.#outcome(begun, observed, decided);
    const operation = new RunningOperation(this.#parts, begun, signal);
    if (!(await operation.carryOn(observed))) return this.#outcome(begun, observed, decided);
    const { application: now } = operation;
    const after = await observer.observe(now, noRefresh, signal);
    // Without an earlier refusal to sync: the attempt it spoke of is no longer the last one.
    const conditions = [...after.finding.conditions, ...retryConditions(now.status?.operationState)];
    const written = await store.writeStatus(now, nextStatus(now, { ...after.finding, conditions }), {}, signal);
    await events.statusChanged(now, written, signal);
    return this.#outcome(written, after, decided);
  }

  #takeRefresh({ namespace, name }: Request, application: Application): Refresh {
    const { targets, source, clock } = this.#parts;
    const asked = application.metadata.annotations?.[refreshAnnotation];
    const pushed = this.#refresh.delete(`${namespace}/${name}`);
    const { source: from } = application.spec;
    const askedAt = from === undefined ? undefined : targets.askedAtMs(from);
    const expired =
      from !== undefined &&
      askedAt !== undefined &&
      !source.announces(from.repoURL) &&
      clock.now().epochMilliseconds - askedAt >= foreignRefreshMs;
    return { wanted: asked !== undefined || pushed || expired, hard: asked === "hard" };
  }

  async #decide(application: Application, observed: Observed, signal: AbortSignal): Promise<Decided> {
    const { finding } = observed;
    const { now } = finding;
    const old = application.status?.operationState;
    const conditions = [...finding.conditions];
    if (isRunning(old)) {
      const end = finding.unknown ? undefined : superseded(old, finding.revision ?? "");
      if (end === undefined) return { conditions: [...conditions, ...retryConditions(old)] };
      await this.#parts.events.operationFinished(application, end, signal);
      return { conditions, state: end };
    }
    const { operation } = application;
    if (operation !== undefined && operation !== null) {
      if (observed.invalid) return { conditions, state: refusedOperation(operation, conditions, toTimestamp(now)) };
      return { conditions, state: await this.#start(application, operation, now, signal) };
    }
    if (finding.unknown || finding.revision === undefined || finding.source === undefined) return { conditions };
    const decision = decideAutoSync({
      application,
      sync: finding.comparison.sync,
      revision: finding.revision,
      source: finding.source,
      resources: finding.comparison.objects.map(({ key, status, prune }) => ({
        key,
        prune,
        synced: status === "Synced",
      })),
      now,
    });
    switch (decision.kind) {
      case "none":
        return { conditions };
      case "later":
        return { conditions, laterMs: decision.ms };
      case "refuse":
        return { conditions: [...conditions, condition("SyncError", decision.message)] };
      case "sync":
        return { conditions, state: await this.#start(application, decision.operation, now, signal) };
    }
  }

  /** An operation whose revision cannot be resolved ends before it begins. */
  async #start(
    application: Application,
    operation: Operation,
    now: Temporal.Instant,
    signal: AbortSignal,
  ): Promise<OperationState> {
    const source = operationSource(application, operation);
    const startedAt = toTimestamp(now);
    if (source === undefined)
      return { operation, phase: "Error", message: "spec.source is missing", startedAt, finishedAt: startedAt };
    const asked = operation.sync?.revision;
    try {
      // A full commit id needs no asking; a name is pinned to what it means now.
      const wanted = asked ? { ...source, targetRevision: asked } : source;
      const isCommit = asked !== undefined && /^[0-9a-f]{40,64}$/.test(asked);
      const revision = isCommit ? asked : await this.#parts.targets.resolve(wanted, asked !== undefined, signal);
      await this.#parts.events.operationStarted(application, operation, revision, signal);
      return startedOperation(operation, { revision, source, now });
    } catch (error) {
      if (signal.aborted || isAbort(error)) throw error;
      return {
        operation,
        phase: "Error",
        message: `Cannot resolve the revision: ${errorMessage(error)}`,
        startedAt,
        finishedAt: startedAt,
      };
    }
  }

  #outcome(application: Application, observed: Observed, decided: Decided): Outcome {
    const { clock, source, targets } = this.#parts;
    if (observed.invalid) {
      const message = observed.finding.conditions.map((entry) => entry.message).join("; ");
      return { kind: "stalled", reason: "InvalidSpec", message };
    }
    const now = clock.now();
    const state = application.status?.operationState;
    const waits: { ms: number; reason: string }[] = [];
    const retryMs = state === undefined ? undefined : msToRetry(state, now);
    if (retryMs !== undefined) waits.push({ ms: retryMs, reason: "retry of a failed sync" });
    if (decided.laterMs !== undefined) waits.push({ ms: decided.laterMs, reason: "self-heal holds back" });
    const from = application.spec.source;
    if (from !== undefined && !source.announces(from.repoURL)) {
      const askedAt = targets.askedAtMs(from) ?? now.epochMilliseconds;
      const ms = Math.max(1_000, askedAt + foreignRefreshMs - now.epochMilliseconds);
      waits.push({ ms, reason: "the repository does not announce changes" });
    }
    if (observed.rendered === undefined)
      waits.push({ ms: failedRefreshMs, reason: "the source could not be rendered" });
    const [first] = waits.sort((a, b) => a.ms - b.ms);
    return first === undefined ? settled : { kind: "wait", ...first };
  }
}

interface Decided {
  readonly conditions: readonly ApplicationCondition[];
  /** The operation that begins, or one refused at once. */
  readonly state?: OperationState;
  readonly laterMs?: number;
}

/** Retries may take minutes; what the last attempt failed of is to be seen where people look meanwhile. */
function retryConditions(state: OperationState | undefined): ApplicationCondition[] {
  return isBetweenAttempts(state) ? [condition("SyncError", state.message ?? "")] : [];
}

function refusedOperation(
  operation: Operation,
  conditions: readonly ApplicationCondition[],
  time: string,
): OperationState {
  const message = `Application spec is invalid: ${conditions.map((entry) => entry.message).join("; ")}`;
  return { operation, phase: "Error", message, startedAt: time, finishedAt: time };
}
