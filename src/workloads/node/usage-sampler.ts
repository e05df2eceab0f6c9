/**
 * What the node and its containers use: looked at every few seconds, as the difference of what they had used before.
 * For `kubectl top`, and for autoscaling by processor time and memory.
 */
import { cpus, totalmem } from "node:os";
import type { Clock, Log } from "#lib";
import type { ContainerUsage, PodRuntimePort } from "../ports.ts";

interface Usage {
  readonly cpuNanoCores: number;
  readonly memoryBytes: number;
}

interface Measured {
  readonly at: Temporal.Instant;
  /** The span that the processor time is the average of. */
  readonly windowMs: number;
}

export interface PodUsage extends Measured {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly containers: readonly (Usage & { readonly name: string })[];
}

export interface NodeUsage extends Usage, Measured {}

const intervalMs = 5000;
/** An average over less says little. */
const leastWindowMs = 500;
/** How far back a difference reaches: three looks. */
const kept = 3;

interface NodeSample {
  readonly at: Temporal.Instant;
  readonly busyMs: number;
}

export class UsageSampler {
  readonly #runtime: PodRuntimePort;
  readonly #clock: Clock;
  readonly #log: Log;
  #samples: (readonly ContainerUsage[])[] = [];
  #node: NodeSample[] = [];

  constructor(runtime: PodRuntimePort, clock: Clock, log: Log) {
    this.#runtime = runtime;
    this.#clock = clock;
    this.#log = log;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look(signal);
      await this.#clock.sleep(intervalMs, signal).catch(() => {});
    }
  }

  /** Of pods that were measured at the last look. */
  pods(): readonly PodUsage[] {
    const last = this.#samples.at(-1) ?? [];
    const byPod = Map.groupBy(last, ({ pod }) => pod.uid);
    return [...byPod.values()].flatMap((containers) => {
      const measured = containers.map((container) => measure(container, this.#before(container)));
      const [first] = containers;
      if (first === undefined || measured.some((usage) => usage === undefined)) return [];
      const windowMs = Math.min(...measured.map((usage) => usage?.windowMs ?? 0));
      const usages = measured.flatMap((usage) => (usage === undefined ? [] : [usage.usage]));
      return [{ ...first.pod, at: first.at, windowMs, containers: usages }];
    });
  }

  node(): NodeUsage | undefined {
    const [first, last] = [this.#node[0], this.#node.at(-1)];
    if (first === undefined || last === undefined || first === last) return undefined;
    const windowMs = last.at.epochMilliseconds - first.at.epochMilliseconds;
    const cpuNanoCores = Math.round(((last.busyMs - first.busyMs) / windowMs) * 1e9);
    return { at: last.at, windowMs, cpuNanoCores, memoryBytes: totalmem() - process.availableMemory() };
  }

  async #look(signal: AbortSignal): Promise<void> {
    try {
      const sample = await this.#runtime.usage(signal);
      this.#samples = [...this.#samples, sample].slice(-kept);
      this.#node = [...this.#node, { at: this.#clock.now(), busyMs: busyMs() }].slice(-kept);
    } catch (error) {
      if (!signal.aborted) this.#log.warn("Cannot look at what containers use", { error });
    }
  }

  #before({ id }: ContainerUsage): ContainerUsage | undefined {
    for (const sample of this.#samples.slice(0, -1)) {
      const found = sample.find((usage) => usage.id === id);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** From an earlier look, or from its start, when it had used nothing. */
function measure(
  now: ContainerUsage,
  before: ContainerUsage | undefined,
): { readonly usage: Usage & { readonly name: string }; readonly windowMs: number } | undefined {
  const sinceMs = (before?.at ?? now.startedAt).epochMilliseconds;
  const windowMs = now.at.epochMilliseconds - sinceMs;
  if (windowMs < leastWindowMs) return undefined;
  // Processes that left take their time with them: less than before is none.
  const used = Math.max(now.cpuMs - (before?.cpuMs ?? 0), 0);
  const cpuNanoCores = Math.round((used / windowMs) * 1e9);
  return { usage: { name: now.name, cpuNanoCores, memoryBytes: now.memoryBytes }, windowMs };
}

function busyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}
