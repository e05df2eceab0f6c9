/**
 * The logs of a run as one archive, laid out as GitHub's: the log of each job whole as `0_build.txt`, and step by step in a
 * folder of its name, `build/2_Run make.txt`. It is read and packed while it is sent.
 */
import { streamZip, type ZipPart } from "#lib";
import type { JobView, LogEntryView, RunDetails, Workflows } from "#workflows";

/** Of a run that goes on, what there is by now. */
export function runLogArchive(
  workflows: Pick<Workflows, "logs">,
  run: Pick<RunDetails, "jobs" | "createdAt">,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  return streamZip(logParts(workflows, run, signal));
}

function* logParts(
  workflows: Pick<Workflows, "logs">,
  run: Pick<RunDetails, "jobs" | "createdAt">,
  signal: AbortSignal,
): Generator<ZipPart> {
  const jobs = run.jobs.filter((job) => job.uses === undefined && job.steps.length > 0);
  const folders = uniqueNames(jobs.map(({ name }) => name));
  for (const [index, job] of jobs.entries()) {
    const folder = folders[index] ?? job.id;
    const whole = workflows.logs(job.id, { signal });
    yield { name: `${index}_${folder}.txt`, time: timeOf(job, run), content: logText(whole) };
    for (const step of job.steps) {
      if (step.startedAt === undefined || step.logLines === 0) continue;
      const lines = workflows.logs(job.id, { step: step.number, signal });
      const name = `${folder}/${step.number}_${fileName(step.name)}.txt`;
      yield { name, time: timeOf(step, run), content: logText(lines) };
    }
  }
}

type Timed = Pick<JobView, "startedAt" | "completedAt">;

function timeOf({ completedAt, startedAt }: Timed, run: Pick<RunDetails, "createdAt">): Date {
  return new Date(completedAt ?? startedAt ?? run.createdAt);
}

/** Lines as people and programs get them over HTTP: each with its time. */
export async function* logText(lines: AsyncIterable<LogEntryView>): AsyncGenerator<string> {
  for await (const { time, text } of lines) yield `${time} ${text}\n`;
}

const maxNameLength = 90;

/** Without what no file system or only some take, at most 90 UTF-16 units: `gh run view --log` looks for just this. */
export function fileName(name: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what has to go
  const plain = name.replaceAll(/["<>|:*?\\/\u0000-\u001F]/g, "").slice(0, maxNameLength);
  const trimmed = plain.trim();
  return /^\.*$/.test(trimmed) ? "unnamed" : trimmed;
}

/** Of jobs with one name the later ones are numbered; case alone tells no files apart everywhere. */
export function uniqueNames(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const base = fileName(name);
    let found = base;
    for (let count = 1; taken.has(found.toLowerCase()); count++) found = `${base} (${count})`;
    taken.add(found.toLowerCase());
    return found;
  });
}
