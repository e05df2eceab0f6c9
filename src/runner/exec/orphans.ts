/** Ends what a job's steps left running, found by the tracking id that every step's environment carries. */
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import type { Clock } from "#lib";

/**
 * The processes at some time: what a job starts later is not among them, so that a job of milliseconds need not look at
 * all of the machine's. A number is given out again after 32,768 processes at the earliest: it counts for seconds only.
 */
export class EarlierProcesses {
  readonly #clock: Clock;
  readonly #takenMs: number;
  readonly #pids: ReadonlySet<string>;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#takenMs = clock.monotonicMs();
    this.#pids = new Set(processEntries());
  }

  /** Empty when it has become too old to say. */
  pids(): ReadonlySet<string> {
    return this.#clock.monotonicMs() - this.#takenMs < maxAgeMs ? this.#pids : new Set();
  }
}

const maxAgeMs = 3_000;

/**
 * Processes whose environment has the variable `NAME=value`; empty where there is no /proc. Synchronous: every job ends
 * with it, and some hundred reads of memory cost a fraction of the promises for them.
 */
function findMarked(wanted: string, except: ReadonlySet<string> = new Set()): number[] {
  const mark = Buffer.from(`\0${wanted}\0`);
  const found: number[] = [];
  for (const entry of processEntries()) {
    if (except.has(entry) || !/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    if (environmentOf(entry)?.includes(mark) === true) found.push(Number(entry));
  }
  return found;
}

function processEntries(): readonly string[] {
  try {
    return readdirSync("/proc");
  } catch {
    return [];
  }
}

/** Larger than what nearly all processes have. */
const environmentBuffer = Buffer.alloc(64 * 1024);

/** With a zero before and behind each variable. Undefined when it has gone, or is another user's. */
function environmentOf(pid: string): Buffer | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(`/proc/${pid}/environ`, "r");
    const chunks: Buffer[] = [Buffer.alloc(1)];
    for (;;) {
      const length = readSync(descriptor, environmentBuffer);
      if (length === 0) return Buffer.concat(chunks);
      chunks.push(Buffer.from(environmentBuffer.subarray(0, length)));
    }
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** How often those that were killed are looked for, and how long between: on a busy machine one dies slowly. */
const rounds = 100;
const roundMs = 10;

/**
 * Kills them, and returns when they are gone: the next job may want their ports. Those that start others meanwhile are
 * found in the next round.
 */
export async function killOrphans(trackingId: string, clock: Clock, earlier?: EarlierProcesses): Promise<number> {
  const killed = new Set<number>();
  for (let round = 0; round < rounds; round++) {
    const found = findMarked(`RUNNER_TRACKING_ID=${trackingId}`, earlier?.pids());
    if (found.length === 0) break;
    for (const pid of found) {
      try {
        process.kill(pid, "SIGKILL");
        killed.add(pid);
      } catch {
        // It ended by itself in between.
      }
    }
    await clock.sleep(roundMs, new AbortController().signal);
  }
  return killed.size;
}

/** Sends a signal to each process that has the variable in its environment; how many there were. */
export async function signalMarked(mark: string, signal: NodeJS.Signals): Promise<number> {
  let reached = 0;
  for (const pid of findMarked(mark)) {
    try {
      process.kill(pid, signal);
      reached += 1;
    } catch {
      // It ended by itself in between, or is another user's.
    }
  }
  return reached;
}
