/** Which runners are there, in memory: they say so with every request, and ask for work all the time. */
import type { Clock } from "#lib";
import { claimWaitMs, type ClaimRequest } from "../protocol.ts";
import { timestamp, type RunnerView } from "./view.ts";

interface Seen {
  readonly name: string;
  readonly labels: readonly string[];
  readonly atMs: number;
}

/** A runner waits for work at most this long before it asks again, or sends a heartbeat far sooner. */
const presentMs = claimWaitMs + 30_000;

export class RunnerRoster {
  readonly #clock: Clock;
  readonly #runners = new Map<string, Seen>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  asked(request: ClaimRequest): void {
    const { runnerId, name, labels } = request;
    this.#runners.set(runnerId, { name, labels, atMs: this.#nowMs() });
  }

  answered(runnerId: string | null): void {
    const runner = runnerId === null ? undefined : this.#runners.get(runnerId);
    if (runnerId !== null && runner !== undefined) this.#runners.set(runnerId, { ...runner, atMs: this.#nowMs() });
  }

  present(): readonly RunnerView[] {
    const since = this.#nowMs() - presentMs;
    for (const [id, runner] of this.#runners) if (runner.atMs < since) this.#runners.delete(id);
    return [...this.#runners].map(([id, { name, labels, atMs }]) => ({
      id,
      name,
      labels,
      lastSeenAt: timestamp(atMs),
    }));
  }

  /** Why nobody takes a queued job; undefined when somebody can. */
  obstacle(wanted: readonly string[]): string | undefined {
    const runners = this.present();
    if (runners.some((runner) => hasLabels(runner.labels, wanted))) return undefined;
    const found = runners.length === 0 ? "no runner is connected" : "no connected runner has all of its labels";
    return `Waits because ${found}: start a runner with ${wanted.join(", ")}`;
  }

  #nowMs(): number {
    return this.#clock.now().epochMilliseconds;
  }
}

/** Whether all wanted labels are there; case does not count. */
export function hasLabels(labels: readonly string[], wanted: readonly string[]): boolean {
  const has = new Set(labels.map((label) => label.toLowerCase()));
  return wanted.every((label) => has.has(label.toLowerCase()));
}
