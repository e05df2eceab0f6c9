/** What happens in a local run, as lines for a terminal: each with the name of its job. */
import { formatProblem, fromTimestamp, msBetween } from "#lib";
import type { LocalEvent, LocalResult } from "#server";
import { bytes, type Colour, paint } from "../output.ts";

type Job = Extract<LocalEvent, { kind: "job-started" }>["job"];
type Step = Extract<LocalEvent, { kind: "step-started" }>["step"];

const colours: readonly Colour[] = ["cyan", "blue", "green", "yellow"];
const marks = { success: "✓", failure: "✗", cancelled: "■", skipped: "-" } as const;
const markColours = { success: "green", failure: "red", cancelled: "yellow", skipped: "dim" } as const;

/** Of the runner's own steps only failures, and what they warn of, are worth a line. */
const ownSteps: ReadonlySet<string> = new Set(["Set up job", "Complete job"]);

/** Where a step's log stands: before, in or behind the group by which it says what it runs. */
type Preamble = "before" | "inside" | "behind";

interface Told {
  readonly colour: Colour;
  step: number;
  preamble: Preamble;
  /** Lines of a step that are only shown when it fails, but for warnings and errors. */
  held: { readonly line: string; readonly loud: boolean }[];
}

export class LocalPrinter {
  readonly #write: (text: string) => void;
  readonly #quiet: boolean;
  readonly #jobs = new Map<string, Told>();
  #width = 0;

  constructor(write: (text: string) => void, quiet: boolean) {
    this.#write = write;
    this.#quiet = quiet;
  }

  tell(event: LocalEvent): void {
    switch (event.kind) {
      case "run-started": {
        const { workflow, problems } = event.run;
        this.#write(paint(workflow.name, "bold"));
        for (const problem of problems) this.#write(formatProblem(problem));
        return;
      }
      case "job-started":
        this.#width = Math.min(40, Math.max(this.#width, event.job.name.length));
        this.#jobs.set(event.job.id, { ...fresh, held: [], colour: colours[this.#jobs.size % 4] ?? "cyan" });
        return;
      case "step-started":
        if (!ownSteps.has(event.step.name) && event.step.conclusion !== "skipped")
          this.#line(event.job, paint(`▸ ${event.step.name}`, "bold"));
        return;
      case "line":
        return this.#output(event.job, event.step, event.text);
      case "step-ended":
        return this.#stepEnded(event.job, event.step);
      case "job-ended":
        return this.#jobEnded(event.job);
      case "run-ended":
        return;
    }
  }

  result({ runs, artifacts }: LocalResult): void {
    for (const run of runs) {
      for (const job of run.jobs) {
        for (const { level, message, path, startLine, startColumn } of job.annotations) {
          const place = [path, startLine, startColumn].filter((part) => part !== undefined).join(":");
          if (place !== "") this.#write(`${place}: ${paint(level, level === "error" ? "red" : "yellow")}: ${message}`);
        }
        if (job.summary.trim() !== "" && !this.#quiet)
          this.#write(`${paint(`Summary of ${job.name}`, "bold")}\n${job.summary.trimEnd()}`);
      }
      const { conclusion = "failure" } = run;
      const failed = run.jobs
        .filter((job) => job.conclusion === "failure" && !job.continueOnError)
        .map((job) => job.name);
      const which = failed.length === 0 ? "" : `: ${failed.join(", ")}`;
      const words = `${marks[conclusion]} ${run.workflow.name} ${said[conclusion]}${which}`;
      this.#write(paint(words, markColours[conclusion]));
    }
    for (const { name, file, sizeInBytes } of artifacts)
      this.#write(`artifact ${paint(name, "bold")} (${bytes(sizeInBytes)}): ${file}`);
  }

  #output(job: Job, step: Step, text: string): void {
    const told = this.#told(job);
    if (told.step !== step.number) Object.assign(told, { step: step.number, preamble: "before", held: [] });
    const shown = this.#shown(told, text);
    if (shown === undefined) return;
    if (ownSteps.has(step.name)) told.held.push({ line: shown, loud: /^##\[(?:error|warning)\]/.test(text) });
    else this.#line(job, `  ${shown}`);
  }

  /** A line of the log as people read it; undefined for what they need not see. */
  #shown(told: Told, text: string): string | undefined {
    const { preamble } = told;
    if (preamble === "before") told.preamble = text.startsWith("##[group]Run ") ? "inside" : "behind";
    if (told.preamble === "inside") {
      if (text === "##[endgroup]") told.preamble = "behind";
      return undefined;
    }
    const [, name, rest = ""] = /^##\[(error|warning|notice|debug|group|endgroup|command)\](.*)$/s.exec(text) ?? [];
    switch (name) {
      case undefined:
        return this.#quiet ? undefined : text;
      case "error":
        return paint(`error: ${rest}`, "red");
      case "warning":
        return paint(`warning: ${rest}`, "yellow");
      case "endgroup":
        return undefined;
      case "group":
        return this.#quiet ? undefined : paint(`▾ ${rest}`, "dim");
      default:
        return this.#quiet ? undefined : rest;
    }
  }

  #stepEnded(job: Job, step: Step): void {
    const { conclusion = "success" } = step;
    const told = this.#told(job);
    if (ownSteps.has(step.name)) {
      for (const { line, loud } of told.held) if (loud || conclusion !== "success") this.#line(job, `  ${line}`);
      return;
    }
    if (conclusion === "skipped") return;
    const forgiven = step.outcome === "failure" && conclusion === "success" ? " (failed, and the job goes on)" : "";
    const words = `${marks[conclusion]} ${step.name}${forgiven} ${paint(took(step), "dim")}`;
    this.#line(job, paint(words, forgiven === "" ? markColours[conclusion] : "yellow"));
  }

  #jobEnded(job: Job): void {
    const { conclusion = "failure" } = job;
    const why = job.message === undefined ? "" : `: ${job.message}`;
    this.#line(job, paint(`${marks[conclusion]} job ${said[conclusion]}${why} ${took(job)}`, markColours[conclusion]));
  }

  #told(job: Job): Told {
    const found = this.#jobs.get(job.id) ?? { ...fresh, held: [], colour: "cyan" };
    this.#jobs.set(job.id, found);
    return found;
  }

  #line(job: Job, text: string): void {
    const { colour } = this.#told(job);
    this.#write(`${paint(job.name.padEnd(this.#width), colour)} │ ${text}`);
  }
}

const fresh = { step: 0, preamble: "before" } as const;
const said = { success: "succeeded", failure: "failed", cancelled: "was cancelled", skipped: "was skipped" } as const;

function took({ startedAt, completedAt }: Pick<Step, "startedAt" | "completedAt">): string {
  if (startedAt === undefined || completedAt === undefined) return "";
  const ms = msBetween(fromTimestamp(startedAt), fromTimestamp(completedAt));
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}
