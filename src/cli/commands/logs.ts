import type { Command } from "commander";
import type { RunDetail, RunLogLine } from "#api";
import { command, type GlobalOptions, openSession, type Session } from "../command.ts";
import { CliError } from "../errors.ts";
import { paint, print, printJson } from "../output.ts";
import { saveResponse } from "../save-response.ts";

export function logsCommand(): Command {
  return command("logs", "Print the log of a run's jobs", [
    "tidegate logs 12",
    "tidegate logs 12 --job quality --follow",
    "tidegate logs 12 --zip logs.zip",
  ])
    .argument("<run>", "id of a run")
    .option("--job <key>", "only this job (its key or name)")
    .option("-f, --follow", "go on until the jobs have ended")
    .option("--timestamps", "begin each line with its time")
    .option("--zip <file>", "save the logs of all jobs, and step by step, as an archive")
    .action(logs);
}

interface LogsOptions extends GlobalOptions {
  readonly job?: string;
  readonly follow?: boolean;
  readonly timestamps?: boolean;
  readonly zip?: string;
}

async function logs(id: string, options: LogsOptions): Promise<void> {
  const session = await openSession(options);
  if (options.zip !== undefined) return await saveArchive(session, id, options.zip, options);
  const { client, signal } = session;
  const run = await client.api<RunDetail>(`/runs/${encodeURIComponent(id)}`);
  const jobs = run.jobs.filter(
    (job) => options.job === undefined || job.key === options.job || job.name === options.job,
  );
  if (jobs.length === 0) {
    const names = run.jobs.map((job) => job.key).join(", ") || "none";
    throw new CliError("cli/failed", `Run ${id} has no job "${options.job ?? ""}": its jobs are ${names}`);
  }
  const collected: (RunLogLine & { job: string })[] = [];
  for (const job of jobs) {
    if (options.json !== true && jobs.length > 1) print(paint(`=== ${job.name}`, "bold"));
    const path = `/jobs/${job.id}/log${options.follow === true ? "?follow=1" : ""}`;
    for await (const line of client.lines<RunLogLine>(path, signal)) {
      if (options.json === true) collected.push({ ...line, job: job.key });
      else print(options.timestamps === true ? `${line.time} ${line.text}` : line.text);
    }
  }
  if (options.json === true) printJson(collected);
}

async function saveArchive({ client, signal }: Session, id: string, file: string, options: LogsOptions): Promise<void> {
  if (options.job !== undefined || options.follow === true) {
    throw new CliError("cli/usage", "--zip saves the logs of all jobs as they are: leave out --job and --follow");
  }
  const path = `/api/tidegate/v1/runs/${encodeURIComponent(id)}/logs`;
  await saveResponse(await client.request(path, { accept: "*/*", signal }), file, signal);
  if (options.json === true) printJson({ file });
  else print(file);
}
