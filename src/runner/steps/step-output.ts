/** What a step prints: workflow commands are obeyed, everything else goes to its log. */
import type { Annotation } from "#workflows";
import { commandNames, parseWorkflowCommand, type WorkflowCommand } from "../commands/workflow-command.ts";
import type { Job } from "../job/job.ts";
import { StepFailure } from "../errors.ts";
import type { LineSink } from "../journal/job-log.ts";
import { readMatchers, StepMatchers } from "../matchers/job-matchers.ts";

export interface OutputTarget {
  readonly job: Job;
  readonly sink: LineSink;
  /** For annotations. */
  readonly stepNumber: number;
  readonly debug: boolean;
}

/** Deprecated commands change the step that printed them. */
export interface CommandReceiver {
  setOutput(name: string, value: string): void;
  saveState(name: string, value: string): void;
}

export class StepOutput {
  readonly target: OutputTarget;
  #pending: string[] = [];
  #stopToken: string | undefined;
  #echo: boolean;
  #failure: string | undefined;
  readonly #groups: string[] = [];
  readonly #matchers: StepMatchers;

  constructor(target: OutputTarget) {
    this.target = target;
    this.#echo = target.debug;
    this.#matchers = new StepMatchers(target.job);
  }

  /** Set when a command could not be obeyed: the step then fails. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** A line of the program's output. */
  line(text: string, receiver: CommandReceiver): void {
    const command = parseWorkflowCommand(text);
    if (this.#stopToken !== undefined) {
      if (text.trim() === `::${this.#stopToken}::`) this.#stopToken = undefined;
      this.write(text);
      return;
    }
    if (command === undefined) this.#plain(text);
    else this.#obey(command, text, receiver);
  }

  /** Ordinary output, in which a problem matcher may find something. */
  #plain(text: string): void {
    const found = this.#matchers.find(text);
    if (found === undefined) return this.write(text);
    this.write(`##[${found.annotation.level}]${found.text}`);
    this.#annotate(found.annotation);
  }

  /** A line of the runner itself. */
  write(text: string): void {
    this.#pending.push(text);
  }

  group(title: string, lines: readonly string[]): void {
    this.#pending.push(`##[group]${title}`, ...lines, "##[endgroup]");
  }

  /** An error of the runner about the step, in its log and as an annotation. */
  error(message: string): void {
    this.write(`##[error]${message}`);
    this.#annotate({ level: "error", message });
  }

  warning(message: string): void {
    this.write(`##[warning]${message}`);
    this.#annotate({ level: "warning", message });
  }

  debug(message: string): void {
    if (this.target.debug) this.write(`##[debug]${message}`);
  }

  /** Hands what was written to the log. */
  flush(): void {
    const lines = this.#pending;
    this.#pending = [];
    this.target.sink.write(lines);
  }

  #annotate(annotation: Annotation): void {
    this.target.job.annotate({ ...annotation, step: this.target.stepNumber });
  }

  #obey(command: WorkflowCommand, text: string, receiver: CommandReceiver): void {
    const { name, data } = command;
    switch (name) {
      case "add-mask":
        return this.#addMask(data);
      case "debug":
        return this.debug(data);
      case "notice":
      case "warning":
      case "error":
        this.write(`##[${name}]${data}`);
        return this.#annotate(annotationOf(name, command));
      case "group":
        this.#groups.push(data);
        return this.write(`##[group]${data}`);
      case "endgroup":
        this.#groups.pop();
        return this.write("##[endgroup]");
      case "echo":
        return this.#setEcho(data);
      case "stop-commands":
        return this.#stop(data, text);
      case "set-output":
      case "save-state":
        return this.#deprecated(command, receiver);
      case "set-env":
      case "add-path":
        return this.#unsafe(command);
      case "add-matcher":
        return this.#changing(() => this.#addMatcher(data));
      case "remove-matcher":
        return this.#changing(() => this.#removeMatcher(command));
      default:
        return this.write(text);
    }
  }

  #addMatcher(file: string): void {
    if (file.trim() === "") throw new StepFailure("Cannot add problem matchers: the path of a file must be given");
    const found = readMatchers(this.target.job, file.trim());
    this.target.job.shared.matchers.add(found);
    for (const { owner } of found) this.debug(`Added matcher '${owner}'. Problems it finds become annotations`);
  }

  /** Named by their owner, or by the file that they came with. */
  #removeMatcher({ properties, data }: WorkflowCommand): void {
    const owner = (properties["owner"] ?? "").trim();
    const file = data.trim();
    if ((owner === "") === (file === "")) {
      throw new StepFailure("Cannot remove problem matchers: either an owner or the path of a file must be given");
    }
    const { job } = this.target;
    const owners = owner === "" ? readMatchers(job, file).map((one) => one.owner) : [owner];
    job.shared.matchers.remove(owners);
  }

  #changing(change: () => void): void {
    try {
      change();
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
      this.#fail(error.message);
    }
  }

  #addMask(value: string): void {
    if (!this.target.job.parts.masker.add(value)) this.warning("Can't add an empty value as a mask");
    else if (this.#echo) this.write("::add-mask::***");
  }

  #setEcho(data: string): void {
    const wanted = data.trim().toLowerCase();
    if (wanted === "on") this.#echo = true;
    else if (wanted === "off") this.#echo = false;
    else this.#fail(`Invalid echo command value "${data}": it must be "on" or "off"`);
  }

  /** Until the token comes back, output is only output. */
  #stop(token: string, text: string): void {
    const taken = token === "" || token === "pause-logging" || commandNames.has(token.toLowerCase());
    if (taken && this.target.job.env.get("ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS") !== "true") {
      this.#fail(`Invalid stop-commands token "${token}": use a long random text`);
      return;
    }
    this.#stopToken = token;
    this.write(text);
  }

  #deprecated(command: WorkflowCommand, receiver: CommandReceiver): void {
    const key = command.properties["name"];
    if (key === undefined || key === "") {
      this.#fail(`Required field "name" is missing in the ##[${command.name}] command`);
      return;
    }
    const file = command.name === "set-output" ? "GITHUB_OUTPUT" : "GITHUB_STATE";
    this.debug(`The "${command.name}" command is deprecated: write to ${file} instead`);
    if (command.name === "set-output") receiver.setOutput(key, command.data);
    else receiver.saveState(key, command.data);
  }

  #unsafe(command: WorkflowCommand): void {
    const { job } = this.target;
    if (job.env.get("ACTIONS_ALLOW_UNSECURE_COMMANDS") !== "true") {
      const file = command.name === "set-env" ? "GITHUB_ENV" : "GITHUB_PATH";
      this.#fail(`The "${command.name}" command is disabled: write to the file $${file} instead`);
    } else if (command.name === "add-path") job.addPaths([command.data]);
    else job.env.set(command.properties["name"] ?? "", command.data);
  }

  #fail(message: string): void {
    this.#failure ??= message;
    this.error(message);
  }
}

function annotationOf(level: Annotation["level"], command: WorkflowCommand): Annotation {
  const { file, line, endLine, col, endColumn, title } = command.properties;
  const numbers = { startLine: line, endLine, startColumn: col, endColumn };
  const places = Object.entries(numbers).flatMap(([key, text]) =>
    text !== undefined && /^\d+$/.test(text) ? [[key, Number(text)]] : [],
  );
  return {
    level,
    message: command.data,
    ...(file === undefined ? {} : { path: file }),
    ...(title === undefined ? {} : { title }),
    ...(Object.fromEntries(places) as Record<string, number>),
  };
}
