/** Kills the control process as a release reaches its stages, as no signal handler can notice (SIGKILL). */
import type { DeliveryView, StageName, StageState } from "#api";
import { processOf } from "./processes.ts";

export interface KillPoint {
  readonly name: string;
  /** Whether the release has come that far. */
  readonly reached: (delivery: DeliveryView) => boolean;
  /** How long after it was seen there. */
  readonly afterMs: number;
  /** A second kill so long after the first, whatever the new process has got to by then. */
  readonly againMs?: number;
}

export interface Kill {
  readonly name: string;
  readonly pid: number;
  readonly atMs: number;
}

const lookMs = 5;

export class ControlKiller implements AsyncDisposable {
  readonly kills: Kill[] = [];
  readonly #folder: string;
  readonly #points: KillPoint[];
  readonly #stop = new AbortController();
  #busy: Promise<void> | undefined;

  /** @param folder any folder that only this installation's processes know */
  constructor(folder: string, points: readonly KillPoint[]) {
    this.#folder = folder;
    this.#points = [...points];
  }

  /** Points not reached yet. */
  get left(): readonly string[] {
    return this.#points.map(({ name }) => name);
  }

  /** What the release looks like now; kills when the next point is reached. */
  see(delivery: DeliveryView): void {
    const [next] = this.#points;
    if (next === undefined || this.#busy !== undefined || !next.reached(delivery)) return;
    this.#points.shift();
    this.#busy = this.#strike(next).finally(() => {
      this.#busy = undefined;
    });
  }

  /** Kills the control process of this moment, or the next one that there is. */
  async kill(name: string): Promise<void> {
    for (;;) {
      const control = processOf(this.#folder, "server/process/main.ts");
      if (control !== undefined && this.kills.every(({ pid }) => pid !== control.pid)) {
        process.kill(control.pid, "SIGKILL");
        this.kills.push({ name, pid: control.pid, atMs: Date.now() });
        return;
      }
      if (this.#stop.signal.aborted) return;
      await pause(lookMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#busy;
  }

  async #strike({ name, afterMs, againMs }: KillPoint): Promise<void> {
    await pause(afterMs);
    await this.kill(name);
    if (againMs === undefined) return;
    await pause(againMs);
    await this.kill(`${name}, and again after ${Math.round(againMs)} ms`);
  }
}

/** The release has this stage in one of these states. */
export function stageIs(name: StageName, ...states: readonly StageState[]): (delivery: DeliveryView) => boolean {
  return ({ stages }) => stages.some((stage) => stage.name === name && states.includes(stage.state));
}

export function weightIs(least: number): (delivery: DeliveryView) => boolean {
  return ({ weight }) => weight >= least;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
