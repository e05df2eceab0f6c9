/** Which runners are there, in memory: they say so with every request, and ask for work all the time. */
import type { Clock } from "#lib";
import { claimWaitMs, type ClaimRequest } from "../protocol.ts";
import { timestamp, type RunnerView } from "./view.ts";

interface Seen {
  readonly name: string;
  readonly labels: readonly string[];
  readonly group?: string;
  readonly atMs: number;
}

/** A runner waits for work at most this long before it asks again, or sends a heartbeat far sooner. */
const presentMs = claimWaitMs + 30_000;
/** How long one that broke off may take to ask again. */
const returnMs = 5_000;

export class RunnerRoster {
  readonly #clock: Clock;
  readonly #runners = new Map<string, Seen>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  asked(request: ClaimRequest): void {
    const { runnerId, name, labels, group } = request;
    this.#runners.set(runnerId, { name, labels, ...(group === undefined ? {} : { group }), atMs: this.#nowMs() });
  }

  answered(runnerId: string | null): void {
    const runner = runnerId === null ? undefined : this.#runners.get(runnerId);
    if (runnerId !== null && runner !== undefined) this.#runners.set(runnerId, { ...runner, atMs: this.#nowMs() });
  }

  /** It went in the middle of a request: unless it is back in a moment, it is away. */
  left(runnerId: string): void {
    const runner = this.#runners.get(runnerId);
    if (runner !== undefined) this.#runners.set(runnerId, { ...runner, atMs: this.#nowMs() - presentMs + returnMs });
  }

  /** It is none any more. */
  forget(runnerId: string): void {
    this.#runners.delete(runnerId);
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
  obstacle(
    wanted: readonly string[],
    group?: string,
    allows: (group: string | undefined) => boolean = () => true,
  ): string | undefined {
    const all = [...this.#presentRunners()];
    const runners = all.filter((runner) => allows(runner.group));
    if (runners.some((runner) => hasLabels(runner.labels, wanted) && isInGroup(runner.group, group))) return undefined;
    const inGroup = group === undefined ? "" : ` in group "${group}"`;
    const fit = (runner: Seen): boolean => hasLabels(runner.labels, wanted) && isInGroup(runner.group, group);
    const closed = all.find((runner) => fit(runner) && !allows(runner.group));
    if (closed !== undefined) {
      return `Waits because the runner group "${closed.group ?? "Default"}" is closed to this repository: let it in, or start a runner of another group`;
    }
    const found =
      runners.length === 0 ? "no runner is connected" : `no connected runner${inGroup} has all of its labels`;
    const labels = wanted.length === 0 ? "" : ` with ${wanted.join(", ")}`;
    return `Waits because ${found}: start a runner${inGroup}${labels}`;
  }

  #presentRunners(): Iterable<Seen> {
    this.present();
    return this.#runners.values();
  }

  #nowMs(): number {
    return this.#clock.now().epochMilliseconds;
  }
}

/** Of a runner that takes every job, whatever it asks for: that of a run from a working tree. */
const anyLabel = "*";

/** Whether all wanted labels are there; case does not count. */
export function hasLabels(labels: readonly string[], wanted: readonly string[]): boolean {
  if (labels.includes(anyLabel)) return true;
  const has = new Set(labels.map((label) => label.toLowerCase()));
  return wanted.every((label) => has.has(label.toLowerCase()));
}

/** Without a group of its own a runner is in the group "Default". */
export function isInGroup(group: string | undefined, wanted: string | undefined): boolean {
  return wanted === undefined || (group ?? "Default").toLowerCase() === wanted.toLowerCase();
}
