/**
 * What a job has written, on disk until control has acknowledged it. A runner that was killed finds here which jobs it
 * held, what they logged, and whether they had ended.
 *
 * `<folder>/job.json` who we are to control; `<folder>/log/<step>.jsonl` one `LogLine` a line; `<folder>/result.json`
 * the completion, written whole once the job has ended; `<folder>/work` the job's files; `<folder>/containers` is there
 * when the job has made some.
 */
import { lstatSync, mkdirSync, opendirSync, rmSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { readFileIfExists, sha256Hex, writeFileAtomic } from "#lib";
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

export async function openJournal(jobsFolder: string, held: HeldJob): Promise<JobJournal> {
  // Ids come from outside; their hash is always a good name for a folder. The lease makes each claim its own.
  const folder = join(jobsFolder, sha256Hex(`${held.jobId} ${held.lease}`).slice(0, 24));
  const journal = journalAt(folder, held);
  mkdirSync(journal.logFolder, { recursive: true });
  mkdirSync(journal.workFolder, { recursive: true });
  await writeFileAtomic(join(folder, "job.json"), JSON.stringify(held), 0o600);
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
export async function noteContainers(journal: JobJournal): Promise<void> {
  await writeFileAtomic(join(journal.folder, "containers"), "");
}

export async function hasContainers(journal: JobJournal): Promise<boolean> {
  return (await readFileIfExists(join(journal.folder, "containers"))) !== undefined;
}

export async function saveResult(journal: JobJournal, result: JobResult): Promise<void> {
  await writeFileAtomic(join(journal.folder, "result.json"), JSON.stringify(result), 0o600);
}

export async function readResult(journal: JobJournal): Promise<JobResult | undefined> {
  const text = await readFileIfExists(join(journal.folder, "result.json"));
  return text === undefined ? undefined : (JSON.parse(text) as JobResult);
}

/** After this the job is forgotten, whatever becomes of its files. */
export async function closeJournal(journal: JobJournal): Promise<void> {
  await rm(join(journal.folder, "job.json"), { force: true });
}

/** Large workspaces take a while to remove: nothing waits for it. What a crash leaves, `findJournals` removes. */
export async function removeFiles({ folder }: JobJournal): Promise<void> {
  const options = { recursive: true, force: true, maxRetries: 3 };
  try {
    if (isSmall(folder)) return rmSync(folder, options);
  } catch {
    // Somebody writes there still, or what is there is another user's.
  }
  await rm(folder, options);
}

/** What jobs leave that check nothing out: removing so little at once costs a tenth of the promises for it. */
const fewEntries = 64;
const fewBytes = 16 * 1024 * 1024;

function isSmall(folder: string): boolean {
  const open = [folder];
  let [entries, bytes] = [0, 0];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    using inside = opendirSync(next);
    for (let entry = inside.readSync(); entry !== null; entry = inside.readSync()) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) open.push(path);
      else bytes += lstatSync(path).size;
      entries += 1;
      if (entries > fewEntries || bytes > fewBytes) return false;
    }
  }
  return true;
}
