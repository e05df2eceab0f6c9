/**
 * One look at one Application: observe (repository, cluster), compare, decide, act, write what was found. It never
 * touches what runs when the source cannot be read or rendered.
 */
import {
  appProjects,
  refreshAnnotation,
  type AnyObject,
  type Application,
  type ApplicationCondition,
  type ApplicationSource,
  type AppProject,
  type OperationState,
  type ResourceType,
} from "#api";
import { errorMessage, isAbort, toTimestamp, type Clock, type Log } from "#lib";
import { settled, type Outcome, type Request } from "#controller";
import type { Cluster } from "#kube";
import type { ApplicationStore } from "./application-store.ts";
import { compareApplication, overallHealth, type ComparedObject, type Comparison } from "./compare.ts";
import type { DifferenceConfirmer } from "./diff/confirm.ts";
import { deleteApplication } from "./delete-application.ts";
import type { EventWriter } from "./event-writer.ts";
import { resourceHealth } from "./health/resource-health.ts";
import { inventoryTypes } from "./live/inventory.ts";
import type { LiveObjects } from "./live/live-objects.ts";
import { keyOfObject } from "./object-key.ts";
import { afterAttempt, isRunning, msToRetry, nextAttempt, operationSource, startedOperation } from "./operations.ts";
import type { SourcePort } from "./ports.ts";
import { projectRefusals } from "./project/check-project.ts";
import { specRefusals } from "./source/check-spec.ts";
import type { TargetState, TargetStates } from "./source/target-state.ts";
import { missingNamespace, targetsOf, type Targets } from "./source/targets.ts";
import { condition, nextHistory, nextStatus, type Finding } from "./status.ts";
import { decideAutoSync } from "./sync/auto-sync.ts";
import { runOperation, stopHooks } from "./sync/run-operation.ts";
import { syncOptionsOf, unknownOptions } from "./sync/sync-options.ts";
import { controllerNamespace, instanceName, ownerInstance } from "./tracking.ts";

export interface ReconcileParts {
  readonly cluster: Cluster;
  readonly store: ApplicationStore;
  readonly live: LiveObjects;
  readonly targets: TargetStates;
  readonly source: SourcePort;
  readonly confirmer: DifferenceConfirmer;
  readonly events: EventWriter;
  readonly clock: Clock;
  readonly log: Log;
}

/** Others' repositories are asked again after this time; ours announce what happens to them. */
const foreignRefreshMs = 180_000;
/** After a failure to read the repository. */
const failedRefreshMs = 60_000;

/** What one pass found, before anything is decided. */
interface Observed {
  readonly finding: Finding;
  readonly targets?: Targets;
  readonly rendered?: Extract<TargetState, { kind: "rendered" }>;
  readonly project?: AppProject;
  readonly invalid: boolean;
}

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
    const { store, events } = this.#parts;
    const observed = await this.observe(application, refresh, signal);
    const decided = await this.#decide(application, observed, signal);
    const status = { ...nextStatus(application, { ...observed.finding, conditions: decided.conditions }) };
    if (decided.state !== undefined) status.operationState = decided.state;
    // A request that comes while another operation runs stays until that one is over.
    const taken = { operation: decided.state !== undefined, refresh: true };
    let current = await store.writeStatus(application, status, taken, signal);
    await events.statusChanged(application, current, signal);
    if (!isRunning(current.status?.operationState) || observed.project === undefined)
      return this.#outcome(current, observed, decided);
    const acted = await this.#act(current, observed, signal);
    current = acted.application;
    if (!acted.changed) return this.#outcome(current, observed, decided);
    const after = await this.observe(current, noRefresh, signal);
    // Without the old refusal: the attempt it spoke of is no longer the last one.
    const conditions = after.finding.conditions;
    const done = { ...nextStatus(current, { ...after.finding, conditions }) };
    const written = await store.writeStatus(current, done, {}, signal);
    await events.statusChanged(current, written, signal);
    return this.#outcome(written, after, { ...decided, conditions });
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

  /** Compares without changing anything. */
  async observe(application: Application, refresh: Refresh, signal: AbortSignal): Promise<Observed> {
    const { targets, cluster, clock } = this.#parts;
    const now = clock.now();
    const project = await cluster.get(
      appProjects,
      { namespace: controllerNamespace, name: application.spec.project ?? "default" },
      { signal },
    );
    const refusals = [...specRefusals(application), ...projectRefusals(application, project)];
    const { source } = application.spec;
    if (refusals.length > 0 || source === undefined) {
      const conditions = refusals.map((message) => condition("InvalidSpecError", message));
      const finding = await this.#unknown(application, conditions, now);
      return { finding: { ...finding, comparison: { ...finding.comparison, health: "Unknown" } }, invalid: true };
    }
    const state = await targets.current(source, { refresh: refresh.wanted, hard: refresh.hard }, signal);
    const base = { invalid: false, ...(project && { project }) };
    if (state.kind === "failed") {
      const conditions = [condition("ComparisonError", state.message)];
      return {
        ...base,
        finding: { ...(await this.#unknown(application, conditions, now)), source, refreshed: refresh.wanted },
      };
    }
    return { ...base, ...(await this.#compare(application, state, refresh, now, signal)) };
  }

  async #compare(
    application: Application,
    rendered: Extract<TargetState, { kind: "rendered" }>,
    refresh: Refresh,
    now: Temporal.Instant,
    signal: AbortSignal,
  ): Promise<Pick<Observed, "finding" | "targets" | "rendered">> {
    const { confirmer, live } = this.#parts;
    const { revision, source, sourceType } = rendered;
    const targets = await this.#prepare(application, rendered);
    const problem = missingNamespace(targets, (apiVersion, kind) => this.#parts.cluster.resolveType(apiVersion, kind));
    if (problem !== undefined) {
      return {
        finding: {
          ...(await this.#unknown(application, [condition("ComparisonError", problem)], now)),
          source,
          revision,
        },
      };
    }
    const managed = live.managedBy(instanceName(application));
    const local = compareApplication(application, targets.objects, (key) => live.get(key), managed);
    const comparison = await confirmer.confirm(local, application.spec.ignoreDifferences ?? [], signal);
    const conditions = [
      ...targets.conditions,
      ...optionWarnings(application),
      ...sharedWarnings(application, comparison),
    ];
    const { wanted: refreshed } = refresh;
    return {
      targets,
      rendered,
      finding: { comparison, unknown: false, revision, source, sourceType, conditions, refreshed, now },
    };
  }

  /** The rendering as this Application's objects, with all their kinds watched. */
  async #prepare(application: Application, rendered: Extract<TargetState, { kind: "rendered" }>): Promise<Targets> {
    const { cluster, live } = this.#parts;
    const resolve = (apiVersion: string, kind: string): ResourceType | undefined =>
      cluster.resolveType(apiVersion, kind);
    const targets = targetsOf(application, rendered.manifests, resolve);
    const types = [...targets.objects, ...targets.hooks].map(({ apiVersion, kind }) => resolve(apiVersion, kind));
    await live.watch([...types, ...inventoryTypes(application, cluster)].filter((type) => type !== undefined));
    return targets;
  }

  /** What is known without a target: the objects that carry the Application's mark, and how they are. */
  async #unknown(
    application: Application,
    conditions: ApplicationCondition[],
    now: Temporal.Instant,
  ): Promise<Finding> {
    const { live, cluster } = this.#parts;
    await live.watch(inventoryTypes(application, cluster));
    const members = live.managedBy(instanceName(application)).map(toMember);
    const comparison: Comparison = { sync: "Unknown", health: overallHealth(members), objects: members };
    return { comparison, unknown: true, conditions, refreshed: false, now };
  }

  async #decide(application: Application, observed: Observed, signal: AbortSignal): Promise<Decided> {
    const { finding } = observed;
    const { now } = finding;
    const old = application.status?.operationState;
    const conditions = [...finding.conditions];
    if (isRunning(old)) return { conditions };
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
    operation: NonNullable<Application["operation"]>,
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

  /** Carries the running operation on as far as it goes now. */
  async #act(application: Application, observed: Observed, signal: AbortSignal): Promise<Acted> {
    const { clock, store } = this.#parts;
    let state = application.status?.operationState;
    let current = application;
    const save = async (next: OperationState): Promise<void> => {
      const status = { ...current.status, operationState: next };
      if (next.finishedAt !== undefined) status.history = nextHistory(current, next);
      current = await store.writeStatus(current, status, {}, signal);
    };
    if (state === undefined || observed.project === undefined) return { application, changed: false };
    const waitMs = msToRetry(state, clock.now());
    if (waitMs !== undefined && waitMs > 0 && state.phase !== "Terminating") return { application, changed: false };
    if (waitMs !== undefined && state.phase === "Running") {
      const refreshed = state.operation.retry?.refresh === true ? observed.finding.revision : undefined;
      state = nextAttempt(state, refreshed ?? state.syncResult?.revision ?? "");
      await save(state);
    }
    const { revision = "", source } = state.syncResult ?? {};
    const rendered = source === undefined ? undefined : await this.#renderFor(source, revision, signal);
    if (rendered?.kind !== "rendered") {
      const message = rendered?.message ?? "The operation names no source";
      await this.#finish(
        current,
        { ...state, phase: "Error", message, finishedAt: toTimestamp(clock.now()) },
        save,
        signal,
      );
      return { application: current, changed: true };
    }
    const prepared = await this.#prepare(application, rendered);
    const input = { application, project: observed.project, state, targets: prepared, revision, signal };
    const { cluster, live } = this.#parts;
    const parts = { cluster, live, clock, save };
    if (state.phase === "Terminating") {
      await stopHooks(parts, input);
      const ended = {
        ...state,
        phase: "Failed" as const,
        message: "Operation terminated",
        finishedAt: toTimestamp(clock.now()),
      };
      await this.#finish(current, ended, save, signal);
      return { application: current, changed: true };
    }
    const progress = await runOperation(parts, input);
    if (progress.kind === "waiting") await save(progress.state);
    else await this.#finish(current, afterAttempt(progress.state, clock.now()), save, signal);
    return { application: current, changed: true };
  }

  async #finish(
    application: Application,
    state: OperationState,
    save: (state: OperationState) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    await save(state);
    if (!isRunning(state)) await this.#parts.events.operationFinished(application, state, signal);
  }

  async #renderFor(source: ApplicationSource, revision: string, signal: AbortSignal): Promise<TargetState> {
    try {
      return await this.#parts.targets.render(source, revision, false, signal);
    } catch (error) {
      if (signal.aborted || isAbort(error)) throw error;
      return { kind: "failed", message: `Cannot read revision ${revision}: ${errorMessage(error)}` };
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

export interface Refresh {
  readonly wanted: boolean;
  readonly hard: boolean;
}

export const noRefresh: Refresh = { wanted: false, hard: false };

interface Decided {
  readonly conditions: readonly ApplicationCondition[];
  /** The operation that begins, or one refused at once. */
  readonly state?: OperationState;
  readonly laterMs?: number;
}

interface Acted {
  readonly application: Application;
  readonly changed: boolean;
}

function refusedOperation(
  operation: NonNullable<Application["operation"]>,
  conditions: readonly ApplicationCondition[],
  time: string,
): OperationState {
  const message = `Application spec is invalid: ${conditions.map((entry) => entry.message).join("; ")}`;
  return { operation, phase: "Error", message, startedAt: time, finishedAt: time };
}

function toMember(object: AnyObject): ComparedObject {
  const health = resourceHealth(object);
  const version = object.apiVersion.slice(object.apiVersion.indexOf("/") + 1);
  return {
    key: keyOfObject(object),
    version,
    live: object,
    status: "Unknown",
    prune: false,
    ...(health && { health }),
  };
}

function optionWarnings(application: Application): ApplicationCondition[] {
  const options = unknownOptions(syncOptionsOf(application));
  return options.map((option) =>
    condition("UnsupportedSyncOptionWarning", `Sync option "${option}" has no effect here: remove it`),
  );
}

function sharedWarnings(application: Application, { objects }: Comparison): ApplicationCondition[] {
  return objects.flatMap(({ key, live }) => {
    const owner = live === undefined ? undefined : ownerInstance(live);
    if (owner === undefined || owner === instanceName(application)) return [];
    const message = `${key.kind} "${key.name}" belongs to application "${owner}" too: remove it from one of them`;
    return [condition("SharedResourceWarning", message)];
  });
}
