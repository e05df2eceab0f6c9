/**
 * Probes of one running container: the startup probe until it has a verdict, then readiness and liveness side by side,
 * until the container ends. Only a change of verdict is told.
 */
import type { Container, Probe } from "#api";
import { type Clock, TaskGroup } from "#lib";
import type { ProbeVerdicts } from "./plan-pod.ts";
import { initialProbe, isRegular, type ProbeKind, recordProbe } from "./probe-state.ts";
import type { ProbeResult, ProbeTarget } from "./probe-target.ts";
import { runProbe } from "./run-probe.ts";

export interface ContainerProbesOptions {
  readonly container: Container;
  readonly target: ProbeTarget;
  readonly clock: Clock;
  /** The container was ready (and so started) before we came back. */
  readonly knownReady: boolean;
  readonly knownStarted: boolean;
  readonly onVerdict: () => void;
  /** A regular attempt failed. */
  readonly onFailure: (kind: ProbeKind, message: string) => void;
  /** An attempt succeeded, with something to say. */
  readonly onWarning: (kind: ProbeKind, message: string) => void;
  readonly onError: (error: unknown) => void;
}

export class ContainerProbes implements AsyncDisposable {
  readonly #options: ContainerProbesOptions;
  readonly #tasks: TaskGroup;
  readonly #verdicts = new Map<ProbeKind, boolean>();

  constructor(options: ContainerProbesOptions) {
    this.#options = options;
    this.#tasks = new TaskGroup((error) => options.onError(error));
    if (options.knownReady) this.#verdicts.set("readiness", true);
    if (options.knownStarted) this.#verdicts.set("startup", true);
  }

  get verdicts(): ProbeVerdicts {
    return {
      startup: this.#verdicts.get("startup"),
      readiness: this.#verdicts.get("readiness"),
      liveness: this.#verdicts.get("liveness"),
    };
  }

  start(): void {
    this.#tasks.start("probes", async (signal) => {
      const { container, knownReady, knownStarted } = this.#options;
      if (container.startupProbe !== undefined && !knownStarted) {
        await this.#keep("startup", container.startupProbe, false, signal);
        if (this.#verdicts.get("startup") !== true) return;
      }
      await Promise.all([
        this.#keep("readiness", container.readinessProbe, knownReady, signal),
        this.#keep("liveness", container.livenessProbe, false, signal),
      ]);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }

  async #keep(kind: ProbeKind, probe: Probe | undefined, known: boolean, signal: AbortSignal): Promise<void> {
    if (probe === undefined) return;
    const { clock, target } = this.#options;
    const { state: run } = target.record;
    let state = initialProbe(kind, probe, run.startedAt.epochMilliseconds, known);
    for (;;) {
      await clock.sleep(state.nextAtMs - clock.now().epochMilliseconds, signal);
      const atMs = clock.now().epochMilliseconds;
      const result = await runProbe(probe, target, signal);
      this.#tell(kind, result, isRegular(state, atMs));
      state = recordProbe(kind, probe, state, { ok: result.ok, atMs });
      if (state.verdict !== undefined) this.#settle(kind, state.verdict);
      // A container that failed these is stopped; one that has started is started for good.
      if (kind === "startup" && state.verdict !== undefined) return;
      if (kind === "liveness" && state.verdict === false) return;
    }
  }

  #tell(kind: ProbeKind, result: ProbeResult, regular: boolean): void {
    const { onFailure, onWarning } = this.#options;
    if (!result.ok && regular) onFailure(kind, result.message);
    if (result.ok && result.warning !== undefined) onWarning(kind, result.warning);
  }

  #settle(kind: ProbeKind, verdict: boolean): void {
    if (this.#verdicts.get(kind) === verdict) return;
    this.#verdicts.set(kind, verdict);
    this.#options.onVerdict();
  }
}
