/** A pipe for each repository that is being read, closed when nobody has asked for a while. */
import type { Clock } from "#lib";
import type { GitRun } from "./git-process.ts";
import { ObjectPipe } from "./object-pipe.ts";

interface Open {
  readonly pipe: ObjectPipe;
  usedMs: number;
}

const idleMs = 10_000;
/** Processes at once; each is a few megabytes. */
const mostPipes = 16;

export class ObjectPipes implements Disposable {
  readonly #clock: Clock;
  readonly #open = new Map<string, Open>();
  #timer: Disposable | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be used at once: one that is kept may be closed. */
  for(run: Omit<GitRun, "input" | "maxOutputBytes">): ObjectPipe {
    const found = this.#open.get(run.folder) ?? { pipe: new ObjectPipe(run), usedMs: 0 };
    found.usedMs = this.#clock.monotonicMs();
    this.#open.delete(run.folder);
    this.#open.set(run.folder, found);
    if (this.#open.size > mostPipes) this.#close(([, { pipe }]) => !pipe.busy, 1);
    this.#watch();
    return found.pipe;
  }

  /** Of a repository that goes. */
  forget(folder: string): void {
    this.#open.get(folder)?.pipe[Symbol.dispose]();
    this.#open.delete(folder);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#close(() => true, this.#open.size);
  }

  #watch(): void {
    this.#timer ??= this.#clock.schedule(idleMs, () => {
      this.#timer = undefined;
      const since = this.#clock.monotonicMs() - idleMs;
      this.#close(([, { pipe, usedMs }]) => usedMs <= since && !pipe.busy, this.#open.size);
      if (this.#open.size > 0) this.#watch();
    });
  }

  /** The longest unused first. */
  #close(which: (entry: readonly [string, Open]) => boolean, most: number): void {
    for (const [folder] of [...this.#open].filter(which).slice(0, most)) this.forget(folder);
  }
}
