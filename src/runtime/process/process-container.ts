/**
 * One container process while this control process knows it: either our child or one found at start-up. Its states are
 * `running`, then `exited`, once; the folder says the same (see `container-folder.ts`).
 */
import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { type FSWatcher, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { type Clock, type Log, TaskGroup } from "#lib";
import type { ContainerRecord, ContainerRunState } from "../pod-runtime.ts";
import { type ContainerEnd, type ContainerFacts, noteOutOfMemory, readEnd, writeEnd } from "./container-folder.ts";
import { ContainerLog } from "./container-log.ts";
import { initFile, startTime } from "../isolation/enter-plan.ts";
import { markOf } from "./environment.ts";
import { isShimOf, killQuietly, processesWithEnvironment, signalGroup } from "./process-table.ts";

export interface ProcessContainerOptions {
  readonly folder: string;
  readonly facts: ContainerFacts;
  readonly clock: Clock;
  readonly log: Log;
  readonly logMaxBytes: number;
  /** Whether the kernel ended a process of it for want of memory; asked when it has ended. */
  readonly outOfMemory: () => Promise<boolean>;
  /** Called once, when the container has ended. */
  readonly onExit: (container: ProcessContainer) => void;
}

/** How often to look for a shim that was killed before it could write `exit`, for processes that are not our children. */
const lookEveryMs = 1000;
/** How long an isolated container may take from its start to its first process. */
const beginMs = 5000;
/** How long members of a killed group may take to go. */
const lingerMs = 250;

export class ProcessContainer implements Disposable {
  readonly facts: ContainerFacts;
  readonly output: ContainerLog;
  readonly #options: ProcessContainerOptions;
  readonly #ended = Promise.withResolvers<void>();
  #state: ContainerRunState;
  readonly #pid: number | undefined;
  /** Our own child, whose end the operating system tells us. */
  #child: ChildProcess | undefined;
  #watcher: FSWatcher | undefined;
  #looking: Disposable | undefined;
  readonly #tasks: TaskGroup;
  #lookAfterMs = lookEveryMs;
  /** We sent SIGKILL: how it ends is known then, though its shim cannot tell. */
  #killed = false;
  #ending = false;
  #closed = false;

  private constructor(options: ProcessContainerOptions, state: ContainerRunState, pid: number | undefined) {
    this.#options = options;
    this.facts = options.facts;
    const failed = (error: unknown): void =>
      options.log.error("Cannot follow a container", { container: options.facts.id, error });
    this.output = new ContainerLog(options.folder, options.clock, options.logMaxBytes, failed);
    this.#tasks = new TaskGroup(failed);
    this.#state = state;
    this.#pid = pid;
    if (state.kind === "exited") this.#ended.resolve();
  }

  static async exited(options: ProcessContainerOptions, end: ContainerEnd): Promise<ProcessContainer> {
    const container = new ProcessContainer(options, exitedState(end), undefined);
    await container.output.restore();
    return container;
  }

  /** A process found at start-up. */
  static async adopted(options: ProcessContainerOptions, pid: number, startedAtMs: number): Promise<ProcessContainer> {
    const startedAt = Temporal.Instant.fromEpochMilliseconds(Math.round(startedAtMs));
    const container = new ProcessContainer(options, { kind: "running", startedAt }, pid);
    await container.output.restore();
    container.#watch();
    container.#lookLater();
    return container;
  }

  /** Our own child, just spawned. */
  static child(options: ProcessContainerOptions, child: ChildProcess): ProcessContainer {
    const container = new ProcessContainer(options, { kind: "running", startedAt: options.clock.now() }, child.pid);
    container.#child = child;
    container.#watch();
    child.once("exit", (code, signal) => {
      const exitCode = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
      container.#tasks.start("end", () => container.#end({ exitCode, witnessed: true }));
    });
    return container;
  }

  get record(): ContainerRecord {
    const { id, pod, name, attempt, image, labels } = this.facts;
    return { id, pod, name, attempt, image, labels, state: this.#state };
  }

  get isRunning(): boolean {
    return this.#state.kind === "running";
  }

  /** The shim, which is also the process group; undefined once it has ended. */
  get pid(): number | undefined {
    return this.isRunning ? this.#pid : undefined;
  }

  get folder(): string {
    return this.#options.folder;
  }

  /** Resolves when the container has ended and its end is on disk. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** An isolated container runs from when it is started on, its first process a moment later: waits for that, or a little. */
  async begun(): Promise<void> {
    const { clock, folder } = this.#options;
    const until = clock.monotonicMs() + beginMs;
    const signal = AbortSignal.timeout(2 * beginMs);
    while (this.isRunning && initOf(folder) === undefined && clock.monotonicMs() < until) await clock.sleep(5, signal);
  }

  signal(name: NodeJS.Signals): void {
    if (!this.isRunning || this.#ending || this.#pid === undefined) return;
    this.#killed ||= name === "SIGKILL";
    // What leads to an isolated container's first process must stay, to tell how that ended; and the first process of a
    // container is who is told to stop.
    if (this.facts.isolated === true && name !== "SIGKILL") return signalInit(this.folder, name);
    signalGroup(this.#pid, name);
    if (this.facts.tty === true) signalGroup(this.#session(), name);
    if (name !== "SIGKILL" || this.#child !== undefined) return;
    // The shim dies with its group and writes nothing: look for that at once.
    this.#lookAfterMs = 10;
    this.#looking?.[Symbol.dispose]();
    this.#lookLater();
  }

  /** Stops observing; the process goes on. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#child?.unref();
    this.#watcher?.close();
    this.#looking?.[Symbol.dispose]();
  }

  /** A command on a terminal leads a session of its own; 0 until it does. */
  #session(): number {
    try {
      return Number(readFileSync(join(this.folder, "session"), "utf8"));
    } catch {
      return 0;
    }
  }

  #watch(): void {
    try {
      this.#watcher = watch(this.#options.folder, { persistent: true }, (_event, name) => {
        this.output.touch();
        if (name === "exit") this.#tasks.start("exit", () => this.#lookForExit());
      });
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch (error) {
      // Out of inotify watches: the end is still noticed, log followers are served when it comes.
      this.#options.log.warn("Cannot watch a container's folder", { container: this.facts.id, error });
    }
    // On a busy machine a program has written, and perhaps all it ever will, before it is watched.
    this.output.touch();
  }

  #lookLater(): void {
    if (this.#closed || this.#ending) return;
    this.#looking = this.#options.clock.schedule(this.#lookAfterMs, () => {
      this.#tasks.start("look", async () => {
        try {
          await this.#lookForExit();
        } finally {
          this.#lookLater();
        }
      });
    });
  }

  async #lookForExit(): Promise<void> {
    const pid = this.#pid;
    // A child's own exit event comes by itself, with the signal that ended it.
    if (this.#child !== undefined || this.#ending || this.#closed || pid === undefined) return;
    const told = (await readEnd(this.folder)) !== undefined;
    if (!told && (await isShimOf(pid, this.folder, AbortSignal.timeout(5000)))) return;
    await this.#end({ exitCode: 137, witnessed: this.#killed });
  }

  /** @param fallback what to record when the shim could not */
  async #end(fallback: { exitCode: number; witnessed: boolean }): Promise<void> {
    if (this.#ending || this.#closed) return;
    this.#ending = true;
    try {
      if (this.#pid !== undefined)
        await endGroup(this.#pid, this.folder, this.#child !== undefined, this.#options.clock);
      if (await this.#options.outOfMemory()) await noteOutOfMemory(this.folder);
      if ((await readEnd(this.folder)) === undefined) {
        await writeEnd(this.folder, fallback.exitCode, fallback.witnessed);
      }
      const end = await readEnd(this.folder);
      if (end !== undefined) this.#state = exitedState(end);
    } catch (error) {
      this.#options.log.error("Cannot record the end of a container", { container: this.facts.id, error });
      const now = this.#options.clock.now();
      const startedAt = this.#state.startedAt;
      this.#state = { kind: "exited", ...fallback, startedAt, finishedAt: now };
    }
    this.output.finish();
    this[Symbol.dispose]();
    this.#ended.resolve();
    this.#options.onExit(this);
  }
}

/** To the first process of an isolated container; nothing before it has become the container's program. */
function signalInit(folder: string, name: NodeJS.Signals): void {
  const pid = initOf(folder);
  if (pid !== undefined) process.kill(pid, name);
}

/** The pid, on this machine, of an isolated container's first process, while it runs. */
export function initOf(folder: string): number | undefined {
  try {
    const [pid = "", started] = readFileSync(join(folder, initFile), "utf8").split(" ");
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // Of a process that is about to run another program its environment cannot be read, so that would not tell.
    return startTime(stat) === started ? Number(pid) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Kills what is left of the container and waits a little until it is gone. The group of a shim that was not our child may
 * belong to others by now, so there the mark decides, where the system shows it.
 */
async function endGroup(group: number, folder: string, mine: boolean, clock: Clock): Promise<void> {
  const signal = AbortSignal.timeout(10 * lingerMs);
  const until = clock.monotonicMs() + lingerMs;
  if (mine || process.platform !== "linux") signalGroup(group, "SIGKILL");
  for (;;) {
    const left = await killMarked(folder);
    if (left === 0 || clock.monotonicMs() > until) return;
    await clock.sleep(2, signal);
  }
}

/** Kills every process that carries the mark of the container in `folder`, wherever it is; returns how many there were. */
export async function killMarked(folder: string): Promise<number> {
  const found = await processesWithEnvironment(markOf(folder));
  for (const pid of found) killQuietly(pid);
  return found.length;
}

function exitedState(end: ContainerEnd): ContainerRunState {
  return {
    kind: "exited",
    exitCode: end.exitCode,
    witnessed: end.witnessed,
    ...(end.oomKilled === true ? { oomKilled: true } : {}),
    startedAt: Temporal.Instant.fromEpochMilliseconds(Math.round(end.startedAtMs)),
    finishedAt: Temporal.Instant.fromEpochMilliseconds(Math.round(end.finishedAtMs)),
  };
}
