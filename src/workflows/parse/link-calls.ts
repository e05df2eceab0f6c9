/**
 * Workflows that a workflow calls, read and put in the place of their calls, so that a run holds all it will ever need
 * when it starts. What does not fit together is told at the call.
 */
import { hasErrors, type Checked, type Location, type Problem } from "#lib";
import { excess, openDefault, type Granted } from "../plan/permissions.ts";
import { checkCall } from "./check-call.ts";
import type { Job, Permissions, Workflow, WorkflowCall, WorkflowOrigin } from "./model.ts";
import { parseWorkflowFile } from "./workflow-file.ts";

/** GitHub's limits: ten levels with the calling one, fifty files. */
const callLimits = { levels: 10, files: 50, jobs: 1_000 } as const;

/** Of all called files together: a run holds them. */
const maxCharacters = 10 * 1024 * 1024;

export interface CallReference {
  readonly path: string;
  /** Absent for a call within the same repository and commit. */
  readonly repository?: string;
  readonly ref?: string;
  /** With its port, where the call has a whole URL. */
  readonly host?: string;
}

export type CalledFile =
  | { readonly text: string; readonly origin: WorkflowOrigin; readonly problem?: never }
  /** Why there is none, with what to do about it. */
  | { readonly problem: string; readonly text?: never };

/** @param from where the call stands */
export type CallLoader = (reference: CallReference, from: WorkflowOrigin) => Promise<CalledFile>;

export interface LinkOptions {
  readonly origin: WorkflowOrigin;
  readonly load: CallLoader;
  readonly read?: (path: string, text: string) => Promise<Checked<Workflow>>;
  /** Of jobs that ask for nothing. */
  readonly defaultPermissions?: Granted;
  readonly limits?: { readonly levels: number; readonly files: number; readonly jobs: number };
}

function callsOthers(workflow: Workflow): boolean {
  return workflow.jobs.some((job) => job.call !== undefined);
}

/** The value has every call linked whose file could be read; with an error among the problems it must not be run. */
export async function linkCalls(workflow: Workflow, options: LinkOptions): Promise<Checked<Workflow>> {
  if (!callsOthers(workflow)) return { value: workflow, problems: [] };
  const linker = new Linker(options);
  const value = await linker.link(workflow, options.origin, undefined, []);
  return { value, problems: linker.problems };
}

function callReference(uses: string): CallReference {
  if (uses.startsWith("./")) return { path: uses.slice(2) };
  const host = /^https?:\/\/(?<host>[^/]+)\//.exec(uses)?.groups?.["host"];
  const at = uses.lastIndexOf("@");
  const parts = uses
    .slice(0, at)
    .replace(/^https?:\/\/[^/]+\//, "")
    .split("/");
  const named = { repository: parts.slice(0, 2).join("/"), path: parts.slice(2).join("/"), ref: uses.slice(at + 1) };
  return host === undefined ? named : { ...named, host };
}

class Linker {
  readonly problems: Problem[] = [];
  readonly #options: LinkOptions;
  readonly #limits: { readonly levels: number; readonly files: number; readonly jobs: number };
  readonly #files = new Set<string>();
  #jobs = 0;
  #characters = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#limits = options.limits ?? callLimits;
  }

  /**
   * @param granted what the caller allows; undefined when nobody up to the run's own workflow said so
   * @param above the files that are being linked around this one
   */
  async link(
    workflow: Workflow,
    origin: WorkflowOrigin,
    granted: Permissions | undefined,
    above: readonly string[],
  ): Promise<Workflow> {
    const jobs: Job[] = [];
    this.#jobs += workflow.jobs.length;
    const [first] = workflow.jobs;
    if (first !== undefined) this.#stopped(first);
    for (const job of workflow.jobs) {
      const { call } = job;
      if (call === undefined || this.#stopped(job)) jobs.push(job);
      else {
        const max = job.permissions ?? workflow.permissions ?? granted;
        const called = await this.#called({ job, call }, origin, max, [...above, place(origin, workflow.path)]);
        const { places: _places, ...kept } = call;
        jobs.push({ ...job, call: called === undefined ? kept : { ...kept, workflow: called } });
      }
    }
    return { ...workflow, jobs };
  }

  /** Too much of everything is said once. */
  #stopped(job: Job): boolean {
    if (this.#jobs <= this.#limits.jobs) return false;
    const message = `The workflow and those it calls have over ${this.#limits.jobs} jobs. Use fewer`;
    if (!this.problems.some((problem) => problem.message === message)) this.#error(job.at, message);
    return true;
  }

  async #called(
    caller: { readonly job: Job; readonly call: WorkflowCall },
    from: WorkflowOrigin,
    max: Permissions | undefined,
    above: readonly string[],
  ): Promise<Workflow | undefined> {
    const { job, call } = caller;
    const action = `Cannot call workflow "${call.uses}"`;
    if (above.length >= this.#limits.levels) {
      const message = `${action}: workflows call each other over ${this.#limits.levels} levels deep. Make it flatter`;
      return this.#error(call.at, message);
    }
    const reference = callReference(call.uses);
    const file = await this.#options.load(reference, from);
    if (file.problem !== undefined) return this.#error(call.at, `${action}: ${file.problem}`);
    const own = place(file.origin, reference.path);
    if (above.includes(own)) {
      return this.#error(call.at, `${action}: it calls itself, by way of ${above.length} calls. Break the circle`);
    }
    this.#files.add(own);
    if (this.#files.size > this.#limits.files) {
      return this.#error(call.at, `${action}: a run calls at most ${this.#limits.files} files. Use fewer`);
    }
    this.#characters += file.text.length;
    if (this.#characters > maxCharacters) {
      return this.#error(call.at, `${action}: called files have over ${maxCharacters} characters together. Use fewer`);
    }
    const read = await this.#read(reference, file.text);
    if (read === undefined) return this.#error(call.at, `${action}: it has errors. Correct it first`);
    const linkable = this.#check(job, call, read, max, action);
    if (!linkable) return undefined;
    const linked = await this.link(read, file.origin, max, above);
    return { ...linked, origin: file.origin };
  }

  async #read(reference: CallReference, text: string): Promise<Workflow | undefined> {
    const shown = reference.repository === undefined ? "" : `${reference.repository}/`;
    const suffix = reference.ref === undefined ? "" : `@${reference.ref}`;
    const { read: parse = parseWorkflowFile } = this.#options;
    const read = await parse(reference.path, text);
    const errors = read.problems.filter((problem) => problem.severity !== "warning");
    const file = `${shown}${reference.path}${suffix}`;
    for (const { at, ...problem } of errors.slice(0, 10)) this.problems.push({ ...problem, at: { ...at, file } });
    return hasErrors(read.problems) || read.value === undefined ? undefined : placedIn(read.value, file);
  }

  #check(job: Job, call: WorkflowCall, called: Workflow, max: Permissions | undefined, action: string): boolean {
    if (called.on.workflowCall === undefined) {
      this.#error(call.at, `${action}: it has no "workflow_call" under "on". Add it there`);
      return false;
    }
    this.problems.push(...checkCall(call, called.on.workflowCall));
    const policy = this.#options.defaultPermissions ?? openDefault;
    const asks = [
      { who: "it", permissions: called.permissions },
      ...called.jobs.map((inner) => ({ who: `its job "${inner.key}"`, permissions: inner.permissions })),
    ];
    for (const { who, permissions } of asks) {
      const over = permissions === undefined ? undefined : excess(permissions, max, policy);
      if (over === undefined) continue;
      const found = `${who} asks for ${over.requested}, but is only allowed ${over.allowed}`;
      this.#error(job.at, `${action}: ${found}. Grant it by "permissions" of job "${job.key}"`);
    }
    return true;
  }

  #error(at: Location, message: string): undefined {
    this.problems.push({ path: "uses", message, at });
    return undefined;
  }
}

/** What is told about calls of a called workflow names the file with its repository. */
function placedIn(workflow: Workflow, file: string): Workflow {
  const jobs = workflow.jobs.map((job): Job => {
    const { call } = job;
    const at = { ...job.at, file };
    if (call === undefined) return { ...job, at };
    const places = Object.entries(call.places ?? {}).map(([key, spot]) => [key, { ...spot, file }] as const);
    return { ...job, at, call: { ...call, at: { ...call.at, file }, places: Object.fromEntries(places) } };
  });
  return { ...workflow, jobs };
}

function place(origin: WorkflowOrigin, path: string): string {
  return `${origin.repository.toLowerCase()}/${path}@${origin.sha}`;
}
