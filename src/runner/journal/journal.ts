/**
 * What a job has written, on disk until control has acknowledged it. A runner that was killed finds here which jobs it
 * held, what they logged, and whether they had ended.
 *
 * `<folder>/job.json` who we are to control; `<folder>/log/<step>.jsonl` one `LogLine` a line; `<folder>/result.json`
 * the completion, written whole once the job has ended; `<folder>/work` the job's files; `<folder>/containers` is there
 * when the job has made some.
 *
 * Nothing of it is waited for on its way to the disk: with the power a job's processes are gone too, control learns of it
 * by the lease that nobody renews, and a job of milliseconds would mostly have waited for the disk.
 */
import { mkdirSync, rmSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { readFileIfExists, sha256Hex, writeFileWhole } from "#lib";
import type { CompleteRequest } from "#workflows";

export interface HeldJob {
  readonly jobId: string;
  readonly lease: string;
  readonly trackingId: string;
  /** By which control gave it to us. */
  readonly claimId: string;
}

export interface JobJournal {
  readonly held: HeldJob;
  readonly folder: string;
  /** The job's own files: workspace, temporary files, tools. */
  readonly workFolder: string;
  readonly logFolder: string;
}

export type JobResult = Omit<CompleteRequest, "lease">;

export function openJournal(jobsFolder: string, held: HeldJob): JobJournal {
  // Ids come from outside; their hash is always a good name for a folder. The lease makes each claim its own.
  const folder = join(jobsFolder, sha256Hex(`${held.jobId} ${held.lease}`).slice(0, 24));
  const journal = journalAt(folder, held);
  mkdirSync(journal.logFolder, { recursive: true });
  mkdirSync(journal.workFolder, { recursive: true });
  writeFileWhole(join(folder, "job.json"), JSON.stringify(held), 0o600);
  return journal;
}

function journalAt(folder: string, held: HeldJob): JobJournal {
  return { held, folder, logFolder: join(folder, "log"), workFolder: join(folder, "work") };
}

/** Jobs of an earlier life of this runner. Folders that hold no readable job are removed. */
export async function findJournals(jobsFolder: string): Promise<JobJournal[]> {
  const names = await readdir(jobsFolder).catch(() => []);
  const found: JobJournal[] = [];
  for (const name of names) {
    const folder = join(jobsFolder, name);
    const held = parseHeld(await readFileIfExists(join(folder, "job.json")));
    if (held === undefined) await rm(folder, { recursive: true, force: true });
    else found.push(journalAt(folder, held));
  }
  return found;
}

function parseHeld(text: string | undefined): HeldJob | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<HeldJob>;
    const { jobId, lease, trackingId, claimId = "" } = value;
    if (typeof jobId !== "string" || typeof lease !== "string" || typeof trackingId !== "string") return undefined;
    return { jobId, lease, trackingId, claimId };
  } catch {
    return undefined;
  }
}

/** Said before the first container of the job is made: whoever finds the journal after a crash looks for them. */
export function noteContainers(journal: JobJournal): void {
  writeFileWhole(join(journal.folder, "containers"), "");
}

export async function hasContainers(journal: JobJournal): Promise<boolean> {
  return (await readFileIfExists(join(journal.folder, "containers"))) !== undefined;
}

export function saveResult(journal: JobJournal, result: JobResult): void {
  writeFileWhole(join(journal.folder, "result.json"), JSON.stringify(result), 0o600);
}

/** Undefined also when there is a file that cannot be read: the disk did not get it. */
export async function readResult(journal: JobJournal): Promise<JobResult | undefined> {
  const text = await readFileIfExists(join(journal.folder, "result.json"));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as JobResult;
  } catch {
    return undefined;
  }
}

/** After this the job is forgotten, whatever becomes of its files. */
export function closeJournal(journal: JobJournal): void {
  rmSync(join(journal.folder, "job.json"), { force: true });
}
