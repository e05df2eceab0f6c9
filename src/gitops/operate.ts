/** Carries a running operation of an Application on as far as it goes now. */
import type { Application, ApplicationSource, OperationState } from "#api";
import { errorMessage, isAbort, toTimestamp, type Clock } from "#lib";
import type { Cluster } from "#kube";
import type { ApplicationStore } from "./application-store.ts";
import type { EventWriter } from "./event-writer.ts";
import type { LiveObjects } from "./live/live-objects.ts";
import type { Observed, Observer } from "./observe.ts";
import { afterAttempt, isRunning, msToRetry, nextAttempt } from "./operations.ts";
import type { TargetState, TargetStates } from "./source/target-state.ts";
import { nextHistory } from "./status.ts";
import { runOperation, stopHooks } from "./sync/run-operation.ts";

type RenderedState = Extract<TargetState, { kind: "rendered" }>;

export interface OperatorParts {
  readonly cluster: Cluster;
  readonly store: ApplicationStore;
  readonly live: LiveObjects;
  readonly targets: TargetStates;
  readonly events: EventWriter;
  readonly observer: Observer;
  readonly clock: Clock;
}

/** One operation in one pass: holds the Application as it was last written. */
export class RunningOperation {
  readonly #parts: OperatorParts;
  readonly #signal: AbortSignal;
  #application: Application;

  constructor(parts: OperatorParts, application: Application, signal: AbortSignal) {
    this.#parts = parts;
    this.#application = application;
    this.#signal = signal;
  }

  get application(): Application {
    return this.#application;
  }

  /** False when there is nothing to do yet: the operation is between two attempts. */
  async carryOn(observed: Observed): Promise<boolean> {
    const { clock } = this.#parts;
    const started = this.#application.status?.operationState;
    if (started === undefined || observed.project === undefined) return false;
    const waitMs = msToRetry(started, clock.now());
    if (started.phase !== "Terminating" && waitMs !== undefined && waitMs > 0) return false;
    const state =
      waitMs === undefined || started.phase === "Terminating" ? started : await this.#retry(started, observed);
    const { revision = "", source } = state.syncResult ?? {};
    const rendered = await this.#render(source, revision);
    if (rendered.kind === "failed") {
      await this.#finish({ ...state, phase: "Error", message: rendered.message, finishedAt: this.#now() });
      return true;
    }
    const { project } = observed;
    const application = this.#application;
    const targets = await this.#parts.observer.prepare(application, rendered);
    const input = { application, project, state, targets, revision, signal: this.#signal };
    const { cluster, live } = this.#parts;
    const parts = { cluster, live, clock, save: (next: OperationState) => this.#save(next) };
    if (state.phase === "Terminating") {
      await stopHooks(parts, input);
      await this.#finish({ ...state, phase: "Failed", message: "Operation terminated", finishedAt: this.#now() });
      return true;
    }
    const progress = await runOperation(parts, input);
    if (progress.kind === "waiting") await this.#save(progress.state);
    else await this.#finish(afterAttempt(await this.#located(progress.state, rendered), clock.now()));
    return true;
  }

  /** A refusal of the cluster names a field; the person who wrote it wants its file and line first. */
  async #located(state: OperationState, rendered: RenderedState): Promise<OperationState> {
    const refused = state.syncResult?.resources?.find(({ status }) => status === "SyncFailed");
    const field = /is invalid: \[?([\w.[\]"/-]+): /.exec(refused?.message ?? "")?.[1];
    if (state.phase !== "Failed" || refused === undefined || field === undefined) return state;
    const { targets } = this.#parts;
    try {
      const at = await targets.locate(rendered, refused, field, this.#signal);
      if (at === undefined) return state;
      const place = [at.file, at.line, at.column].join(":");
      return { ...state, message: (state.message ?? "").replace("reason: ", `reason: ${place}: `) };
    } catch (error) {
      if (this.#signal.aborted || isAbort(error)) throw error;
      // Without its place the message still says what is wrong.
      return state;
    }
  }

  async #retry(state: OperationState, observed: Observed): Promise<OperationState> {
    const newest = state.operation.retry?.refresh === true ? observed.finding.revision : undefined;
    const next = nextAttempt(state, newest ?? state.syncResult?.revision ?? "");
    await this.#save(next);
    return next;
  }

  async #finish(state: OperationState): Promise<void> {
    await this.#save(state);
    if (!isRunning(state)) await this.#parts.events.operationFinished(this.#application, state, this.#signal);
  }

  async #save(state: OperationState): Promise<void> {
    const status = { ...this.#application.status, operationState: state };
    if (state.finishedAt !== undefined) status.history = nextHistory(this.#application, state);
    this.#application = await this.#parts.store.writeStatus(this.#application, status, {}, this.#signal);
  }

  async #render(source: ApplicationSource | undefined, revision: string): Promise<TargetState> {
    if (source === undefined) return { kind: "failed", message: "The operation names no source" };
    try {
      return await this.#parts.targets.render(source, revision, false, this.#signal);
    } catch (error) {
      if (this.#signal.aborted || isAbort(error)) throw error;
      return { kind: "failed", message: `Cannot read revision ${revision}: ${errorMessage(error)}` };
    }
  }

  #now(): string {
    return toTimestamp(this.#parts.clock.now());
  }
}
