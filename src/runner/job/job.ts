/** What the steps of one job share and change: environment, path, status, annotations, posts, logins. */
import type { EngineClient } from "#engine";
import type { Clock, Ids, Log } from "#lib";
import type { EngineSearch, RegistryCredentials } from "#images";
import { protocolLimits, type Annotation, type ContextObject, type JobAssignment } from "#workflows";
import type { JobActions } from "../actions/job-actions.ts";
import { addPaths } from "../commands/file-commands.ts";
import type { Masker } from "../masking/masker.ts";
import type { JobFolders } from "./job-folders.ts";
import type { JobContainers } from "../containers/job-containers.ts";
import { JobMatchers } from "../matchers/job-matchers.ts";
import type { PostStep } from "../steps/scope.ts";
import type { FileCommandStock } from "../steps/step-files.ts";
import { machineHost, type StepHost } from "../steps/step-host.ts";

export type JobStatus = "success" | "failure" | "cancelled";

/** What the runner is, the same for all its jobs. */
export interface RunnerFacts {
  readonly name: string;
  /** The environment steps start from: PATH, HOME, LANG and the like; nothing of the runner's own. */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** The Node that runs JavaScript actions. */
  readonly nodePath: string;
  readonly os: "Linux" | "macOS" | "Windows";
  readonly arch: string;
  /** Looked for once, when the first image is built. */
  readonly engine: (signal: AbortSignal) => Promise<EngineSearch>;
  /** Scripts of whoever keeps the machine, run around each job; absolute paths. */
  readonly hooks: { readonly started?: string; readonly completed?: string };
  /** The engine that runs containers of jobs. Throws with what to do where there is none. */
  readonly containers: (signal: AbortSignal) => Promise<EngineClient>;
}

export interface JobParts {
  readonly assignment: JobAssignment;
  readonly folders: JobFolders;
  readonly fileCommands: FileCommandStock;
  readonly masker: Masker;
  readonly runner: RunnerFacts;
  readonly actions: JobActions;
  readonly trackingId: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Kills everything of the job at once: the lease is lost or the runner stops. */
  readonly kill: AbortSignal;
  /** Called before the first container is made, so that whoever finds the job after a crash looks for them. */
  readonly noteContainers: () => void;
  readonly log: Log;
}

/** What all of a job have in common, those in the background too. */
interface Shared {
  readonly posts: PostStep[];
  readonly logins: Map<string, RegistryCredentials>;
  /** Made when they are first needed. */
  containers?: Promise<JobContainers> | undefined;
  host?: StepHost;
  containersContext?: ContextObject;
  readonly matchers: JobMatchers;
}

export class Job {
  readonly parts: JobParts;
  /** Job `env` and what steps added through GITHUB_ENV. */
  readonly env: Map<string, string>;
  readonly #annotations: Annotation[] = [];
  readonly #summaries: string[] = [];
  /** Registered by actions, last first. */
  readonly posts: PostStep[];
  /** `docker login` of this job: host → account. In memory and in the job's DOCKER_CONFIG only. */
  readonly logins: Map<string, RegistryCredentials>;
  readonly shared: Shared;
  #paths: readonly string[] = [];
  #status: JobStatus = "success";

  /** @param shared what a step in the background shares with its job */
  constructor(parts: JobParts, shared: Shared = { posts: [], logins: new Map(), matchers: new JobMatchers() }) {
    this.parts = parts;
    this.shared = shared;
    this.env = new Map(Object.entries(parts.assignment.contexts.env));
    this.posts = shared.posts;
    this.logins = shared.logins;
  }

  get status(): JobStatus {
    return this.#status;
  }

  get annotations(): readonly Annotation[] {
    return this.#annotations;
  }

  get summary(): string {
    return this.#summaries.join("\n").slice(0, protocolLimits.summaryLength);
  }

  /** A failure stays one; a cancelled job never becomes a failed one. */
  markFailed(): void {
    if (this.#status === "success") this.#status = "failure";
  }

  markCancelled(): void {
    this.#status = "cancelled";
  }

  /** What steps have added to the PATH. */
  get paths(): readonly string[] {
    return this.#paths;
  }

  addPaths(paths: readonly string[]): void {
    this.#paths = addPaths(this.#paths, paths);
  }

  /** `job.container` and `job.services`. */
  get containersContext(): ContextObject {
    return this.shared.containersContext ?? {};
  }

  /** Where the programs of steps run. */
  get host(): StepHost {
    return (this.shared.host ??= machineHost(this.parts.runner));
  }

  /** The PATH of the next step: the last addition first. */
  searchPath(host = this.host): string {
    return this.#paths
      .toReversed()
      .map((path) => host.inside(path))
      .concat(host.baseEnv["PATH"] ?? "")
      .join(":");
  }

  annotate(annotation: Annotation): void {
    if (this.#annotations.length >= protocolLimits.annotations) return;
    const { masker } = this.parts;
    const message = masker.maskCut(annotation.message, protocolLimits.annotationLength);
    const title = annotation.title === undefined ? {} : { title: masker.mask(annotation.title) };
    const path = annotation.path === undefined ? {} : { path: masker.mask(annotation.path) };
    this.#annotations.push({ ...annotation, message, ...title, ...path });
  }

  addSummary(markdown: string): void {
    const masked = markdown
      .split("\n")
      .map((line) => this.parts.masker.mask(line))
      .join("\n");
    this.#summaries.push(masked);
  }
}
