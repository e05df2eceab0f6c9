/**
 * A container's durable record: one folder, written in this order, so that a crash at any instruction leaves something
 * start-up can resolve.
 *
 *   root/        private copy of the image
 *   state.json   who it is. Absent: the start never got here; the folder is rubbish
 *   claim/       made by the shim, or by start-up when it finds none: who makes it wins (see `shim.ts`)
 *   pid          the shim's, which is also its process group
 *   output.log   both streams, in the order they were written
 *   stdin, tty   of a container that has an input or a terminal; `session` and `stdin-holder` are pids (see `shim.ts`)
 *   oom          present: the kernel ended it for want of memory
 *   exit         exit code. Present: it has ended, at the file's time
 */
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, errorCode, readFileIfExists, writeFileAtomic } from "#lib";
import type { ContainerMount, PodIdentity } from "../pod-runtime.ts";
import { isShimOf } from "./process-table.ts";

export interface ContainerFacts {
  readonly id: string;
  readonly pod: PodIdentity;
  readonly name: string;
  readonly attempt: number;
  readonly image: { readonly reference: string; readonly digest: string };
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: NodeJS.Signals;
  readonly workingDir: string;
  readonly stdin?: "kept" | "once";
  readonly tty?: boolean;
  /** For who asks later where something of the container is. */
  readonly mounts?: readonly ContainerMount[];
  /** It has a file system, processes and rights of its own; see `src/runtime/isolation`. */
  readonly isolated?: boolean;
}

export type Found =
  /** Nothing ran; the folder may go. */
  | { readonly kind: "never-started" }
  | { readonly kind: "running"; readonly facts: ContainerFacts; readonly pid: number; readonly startedAtMs: number }
  | { readonly kind: "exited"; readonly facts: ContainerFacts; readonly end: ContainerEnd }
  /** It ran, runs no more, and nobody saw its end. */
  | { readonly kind: "lost"; readonly facts: ContainerFacts; readonly startedAtMs: number };

export interface ContainerEnd {
  readonly exitCode: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly witnessed: boolean;
  readonly oomKilled?: boolean;
}

/** How long a shim that won its claim may take to write its pid: it is the next thing it does. */
const pidPatienceMs = 2000;

export async function writeFacts(folder: string, facts: ContainerFacts): Promise<void> {
  await writeFileAtomic(join(folder, "state.json"), JSON.stringify(facts));
}

async function readPid(folder: string): Promise<number | undefined> {
  const text = await readFileIfExists(join(folder, "pid"));
  return text === undefined || !/^\d+\s*$/.test(text) ? undefined : Number(text);
}

/** The end as the shim wrote it. `!` in the file marks a stand-in, written by `writeEnd`. */
export async function readEnd(folder: string): Promise<ContainerEnd | undefined> {
  const text = await readFileIfExists(join(folder, "exit"));
  const match = /^(\d{1,3})(!?)\s*$/.exec(text ?? "");
  if (match === null) return undefined;
  const finishedAtMs = await modifiedMs(join(folder, "exit"));
  const startedAtMs = (await modifiedMs(join(folder, "pid"))) ?? finishedAtMs ?? 0;
  return {
    exitCode: Number(match[1]),
    startedAtMs,
    finishedAtMs: finishedAtMs ?? startedAtMs,
    witnessed: match[2] === "",
    ...((await readFileIfExists(join(folder, "oom"))) === undefined ? {} : { oomKilled: true }),
  };
}

/** Notes that the kernel ended it for want of memory: the counter that says so goes with the container's group. */
export async function noteOutOfMemory(folder: string): Promise<void> {
  await writeFileAtomic(join(folder, "oom"), "");
}

/** For a shim that was killed before it could say how its command ended. */
export async function writeEnd(folder: string, exitCode: number, witnessed: boolean): Promise<void> {
  await writeFileAtomic(join(folder, "exit"), `${exitCode}${witnessed ? "" : "!"}\n`);
}

/** Decides what became of a container of an earlier control process. */
export async function findContainer(folder: string, clock: Clock, signal: AbortSignal): Promise<Found> {
  const text = await readFileIfExists(join(folder, "state.json"));
  if (text === undefined) return { kind: "never-started" };
  const facts = JSON.parse(text) as ContainerFacts;
  const early = await readEnd(folder);
  if (early !== undefined) return { kind: "exited", facts, end: early };
  if (await claim(folder)) return { kind: "never-started" };
  const pid = await waitForPid(folder, clock, signal);
  const startedAtMs = (await modifiedMs(join(folder, "pid"))) ?? clock.now().epochMilliseconds;
  if (pid !== undefined && (await isShimOf(pid, folder, signal))) return { kind: "running", facts, pid, startedAtMs };
  // It may have ended between the two looks.
  const late = await readEnd(folder);
  return late === undefined ? { kind: "lost", facts, startedAtMs } : { kind: "exited", facts, end: late };
}

async function claim(folder: string): Promise<boolean> {
  try {
    await mkdir(join(folder, "claim"));
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function waitForPid(folder: string, clock: Clock, signal: AbortSignal): Promise<number | undefined> {
  const until = clock.monotonicMs() + pidPatienceMs;
  for (;;) {
    const pid = await readPid(folder);
    if (pid !== undefined || clock.monotonicMs() > until) return pid;
    await clock.sleep(5, signal);
  }
}

async function modifiedMs(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Names in a folder that may not exist. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
