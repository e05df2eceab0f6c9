/** The probes of a pod's running containers: one `ContainerProbes` each, none for those that have ended. */
import type { Pod } from "#api";
import { TaskGroup } from "#lib";
import type { ContainerRecord } from "../ports.ts";
import { ContainerProbes } from "./container-probes.ts";
import { type NodeContext, tell } from "./node-context.ts";
import type { ProbeVerdicts } from "./plan-pod.ts";
import type { ProbeTarget } from "./probe-target.ts";
import { findContainer } from "./stop-container.ts";

export class PodProbes implements AsyncDisposable {
  readonly #context: NodeContext;
  readonly #onVerdict: () => void;
  readonly #probes = new Map<string, ContainerProbes>();
  readonly #tasks: TaskGroup;

  constructor(context: NodeContext, onVerdict: () => void) {
    this.#context = context;
    this.#onVerdict = onVerdict;
    this.#tasks = new TaskGroup((error, name) => context.log.error("Probing failed", { name, error }));
  }

  /** By container id. */
  get verdicts(): ReadonlyMap<string, ProbeVerdicts> {
    return new Map([...this.#probes].map(([id, probes]) => [id, probes.verdicts]));
  }

  keep(pod: Pod, records: readonly ContainerRecord[], target: (record: ContainerRecord) => ProbeTarget): void {
    const running = records.filter((record) => record.state.kind === "running");
    for (const [id, probes] of this.#probes) {
      if (running.some((record) => record.id === id)) continue;
      this.#probes.delete(id);
      this.#tasks.start("end probes", () => probes[Symbol.asyncDispose]());
    }
    for (const record of running) {
      if (!this.#probes.has(record.id)) this.#begin(pod, record, target(record));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#probes.values()].map((probes) => probes[Symbol.asyncDispose]()));
    await this.#tasks[Symbol.asyncDispose]();
  }

  #begin(pod: Pod, record: ContainerRecord, target: ProbeTarget): void {
    const container = findContainer(pod, record.name);
    if (container === undefined) return;
    const { clock, log, runtime } = this.#context;
    const containerId = `${record.runtime ?? runtime.name}://${record.id}`;
    const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
    const known = [...containerStatuses, ...initContainerStatuses].find((status) => status.containerID === containerId);
    const probes = new ContainerProbes({
      container,
      target,
      clock,
      knownReady: known?.ready === true,
      knownStarted: known?.started === true,
      onVerdict: this.#onVerdict,
      onFailure: (kind, message) => this.#tell(pod, "Unhealthy", `${capital(kind)} probe failed: ${message}`),
      onWarning: (kind, message) => this.#tell(pod, "ProbeWarning", `${capital(kind)} probe warning: ${message}`),
      onError: (error) => log.error("Probing failed", { pod: pod.metadata.name, error }),
    });
    this.#probes.set(record.id, probes);
    probes.start();
  }

  #tell(pod: Pod, reason: string, text: string): void {
    this.#tasks.start("event", (signal) => tell(this.#context, pod, "Warning", reason, text, signal));
  }
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
