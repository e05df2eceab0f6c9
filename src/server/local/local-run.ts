/** Runs the workflows of a working tree without a server: what `tidegate run` does. */
import { mkdir, rm } from "node:fs/promises";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { formatProblems, hasErrors, nearestName, type Problem, TaskGroup } from "#lib";
import type { ContextObject, Narrowing, RunDetails, WorkflowSourcePort } from "#workflows";
import { type Chosen, chooseWorkflows, eventsOf, unknownMatrixKeys, type Wish } from "./choose-workflows.ts";
import { type DryJob, runDry } from "./dry-runner.ts";
import { LocalError } from "./errors.ts";
import { followRun, type OnLocalEvent } from "./follow-run.ts";
import { localEvent } from "./local-event.ts";
import type { LocalOptions } from "./local-options.ts";
import { type LocalRooms, openLocalRooms } from "./local-rooms.ts";
import { readWorkflows, type ReadWorkflows } from "./read-workflows.ts";
import { findWorkingTree, type GitRunner, type Snapshot, snapshot, type WorkingTree } from "./working-tree.ts";

export interface LocalRequest extends Wish {
  /** Fields of the event payload. */
  readonly payload: ContextObject;
  readonly inputs: Readonly<Record<string, string>>;
  readonly narrowing: Omit<Narrowing, "jobs">;
  readonly actor: string;
}

export interface LocalArtifact {
  readonly name: string;
  readonly file: string;
  readonly sizeInBytes: number;
}

export interface LocalResult {
  readonly runs: readonly RunDetails[];
  readonly artifacts: readonly LocalArtifact[];
}

export interface ListedJob {
  readonly workflow: string;
  readonly file: string;
  readonly key: string;
  readonly name: string;
  readonly needs: readonly string[];
  readonly events: readonly string[];
}

export interface RunSignals {
  /** Cancels the runs: steps that insist, and post steps, still run. */
  readonly cancel: AbortSignal;
  /** Ends everything at once. */
  readonly kill: AbortSignal;
}

export class LocalActions {
  readonly tree: WorkingTree;
  readonly #files: ReadWorkflows;
  readonly #options: LocalOptions;

  private constructor(options: LocalOptions, tree: WorkingTree, files: ReadWorkflows) {
    this.#options = options;
    this.tree = tree;
    this.#files = files;
  }

  static async open(options: LocalOptions, signal: AbortSignal): Promise<LocalActions> {
    const tree = await findWorkingTree(options.folder, { env: options.env, signal });
    const files = await readWorkflows(tree.folder, options.workflows);
    return new LocalActions({ ...options, folder: tree.folder }, tree, files);
  }

  /** What is wrong with the files, with paths relative to the working tree. */
  get problems(): readonly Problem[] {
    return this.placed(this.#files.problems);
  }

  /** What is wrong with files of which nothing is known, not even what starts them: a server fails a run for each. */
  get unreadable(): readonly Problem[] {
    const known = new Set(this.#files.workflows.map(({ path }) => path));
    return this.placed(this.#files.problems.filter(({ at }) => at !== undefined && !known.has(at.file)));
  }

  /** Problems with the paths that the files have on disk. */
  placed(problems: readonly Problem[]): readonly Problem[] {
    return problems.map((problem) => {
      const file = problem.at === undefined ? undefined : this.#files.places.get(problem.at.file);
      return problem.at === undefined || file === undefined ? problem : { ...problem, at: { ...problem.at, file } };
    });
  }

  /** Those of what was asked for; all where nothing was. Throws `LocalError` when there is no such thing. */
  list(wish: Wish): readonly ListedJob[] {
    const { workflows } = this.#files;
    const isAll = wish.target === undefined && wish.event === undefined && wish.jobs.length === 0;
    const paths = isAll ? workflows.map(({ path }) => path) : this.#choose(wish).paths;
    const listed = workflows.filter(({ path }) => paths.includes(path));
    const isAsked = ({ key }: { readonly key: string }): boolean => wish.jobs.length === 0 || wish.jobs.includes(key);
    return listed.flatMap(({ path, workflow }) =>
      workflow.jobs.filter(isAsked).map(({ key, name = key, needs }) => {
        const file = this.#files.places.get(path) ?? path;
        return { workflow: workflow.name, file, key, name, needs, events: eventsOf(workflow) };
      }),
    );
  }

  /** Runs what was asked for to its end. Throws `LocalError` when nothing can be run. */
  async run(request: LocalRequest, onEvent: OnLocalEvent, signals: RunSignals): Promise<LocalResult> {
    await using owned = new AsyncDisposableStack();
    const { rooms, runIds } = await this.#start(request, owned, signals.kill);
    const failed = Promise.withResolvers<never>();
    const tasks = owned.use(new TaskGroup((error) => failed.reject(error)));
    tasks.start("runner", async (signal) => await rooms.runner.run(AbortSignal.any([signal, signals.kill])));
    const { cancel, kill } = signals;
    tasks.start("cancel", async (signal) => {
      await aborted(AbortSignal.any([cancel, signal]));
      if (!signal.aborted) for (const id of runIds) await rooms.workflows.cancel(id);
    });
    const following = Promise.all(runIds.map((id) => followRun(rooms.workflows, id, onEvent, kill)));
    const runs = await Promise.race([following, failed.promise]);
    const artifacts = await this.#keepArtifacts(rooms, runIds);
    // Content that nothing names any more, and caches over their limits.
    await rooms.artifacts.sweep();
    return { runs, artifacts };
  }

  /** Plans the runs to their end with jobs that do nothing: every job that would run, with its steps. */
  async plan(
    request: LocalRequest,
    signal: AbortSignal,
  ): Promise<{ readonly jobs: readonly DryJob[]; readonly runs: readonly RunDetails[] }> {
    await using owned = new AsyncDisposableStack();
    const { rooms, runIds } = await this.#start(request, owned, signal);
    const jobs: DryJob[] = [];
    const failed = Promise.withResolvers<never>();
    const tasks = owned.use(new TaskGroup((error) => failed.reject(error)));
    const newId = (): string => this.#options.ids.uuid();
    tasks.start("dry runner", async (stop) => await runDry(rooms.workflows, newId, (job) => jobs.push(job), stop));
    const following = Promise.all(runIds.map((id) => followRun(rooms.workflows, id, () => {}, signal)));
    return { runs: await Promise.race([following, failed.promise]), jobs };
  }

  async #start(
    request: LocalRequest,
    owned: AsyncDisposableStack,
    signal: AbortSignal,
  ): Promise<{ readonly rooms: LocalRooms; readonly runIds: readonly string[] }> {
    const chosen = this.#choose(request);
    this.#checkMatrix(chosen.paths, Object.keys(request.narrowing.matrixBut));
    const rooms = await openLocalRooms(this.#options, (source) => this.#ownFiles(source), owned);
    const taken = await this.#bring(rooms, signal);
    const runIds: string[] = [];
    const { inputs, payload, actor, jobs } = request;
    const narrowing = { ...request.narrowing, ...(jobs.length === 0 ? {} : { jobs }) };
    for (const path of chosen.paths) {
      const told = localEvent({ name: chosen.event, payload, inputs, actor }, this.tree, taken, path);
      if (told.value === undefined) throw new LocalError("server/local-usage", formatProblems(told.problems));
      const choice = { paths: [path], narrowing };
      runIds.push(...(await rooms.workflows.accept(told.value, { signal, choice })));
    }
    return { rooms, runIds };
  }

  #choose(wish: Wish): Extract<Chosen, { kind: "chosen" }> {
    const chosen = chooseWorkflows(this.#files.workflows, wish);
    if (chosen.kind === "chosen") return chosen;
    const { texts, workflows } = this.#files;
    // A file that cannot be read at all may be the one that was meant.
    if (!hasErrors(this.problems)) throw new LocalError("server/local-usage", chosen.message);
    const nothing = workflows.length === 0 && texts.length > 0 ? "No workflow can be read:" : chosen.message;
    throw new LocalError("server/local-tree", `${nothing}\n${formatProblems(this.problems)}`);
  }

  /** A key that is mistyped would leave out nothing, and everything would run. */
  #checkMatrix(paths: readonly string[], asked: readonly string[]): void {
    const chosen = this.#files.workflows.filter(({ path }) => paths.includes(path));
    const { unknown, known } = unknownMatrixKeys(chosen, asked);
    const [key] = unknown;
    if (key === undefined) return;
    const meant = nearestName(key, known);
    const there = known.length === 0 ? "No job has a matrix" : `Keys are ${known.join(", ")}`;
    const hint = meant === undefined ? "" : `. Did you mean "${meant}"?`;
    throw new LocalError("server/local-usage", `No job has "${key}" in its matrix. ${there}${hint}`);
  }

  /** The working tree, and the other repositories that were given, into the rooms. */
  async #bring(rooms: LocalRooms, signal: AbortSignal): Promise<Snapshot> {
    const runner: GitRunner = { env: this.#options.env, signal };
    for (const [name, folder] of this.#options.repositories) {
      const tree = await findWorkingTree(folder, runner);
      await bringTree(rooms, { ...tree, repository: name }, runner);
      await rooms.workflows.shareWorkflows({ repository: name, shared: true, actor: "local" });
    }
    return await bringTree(rooms, this.tree, runner);
  }

  /** What lies in the folder is what runs. */
  #ownFiles(source: WorkflowSourcePort): WorkflowSourcePort {
    return {
      ...source,
      files: async (repository, sha, options) =>
        repository === this.tree.repository ? this.#files.texts : await source.files(repository, sha, options),
    };
  }

  async #keepArtifacts(rooms: LocalRooms, runIds: readonly string[]): Promise<readonly LocalArtifact[]> {
    const kept: LocalArtifact[] = [];
    for (const id of runIds) {
      const folder = join(this.#options.keep.artifacts, this.tree.repository.replace("/", "-"), `run-${id}`);
      await rm(folder, { recursive: true, force: true });
      for (const artifact of await rooms.artifacts.artifacts.list(rooms.artifactsRun(id))) {
        const found = await rooms.artifacts.artifacts.get(artifact.id);
        if (found === undefined) continue;
        await mkdir(folder, { recursive: true });
        const { name, mimeType, sizeInBytes } = artifact;
        // The names of artifacts hold no slash: the room sees to it.
        const file = join(folder, mimeType === "application/zip" ? `${name}.zip` : name);
        await pipeline(rooms.artifacts.blobs.read(found.blob), createWriteStream(file));
        await rooms.artifacts.artifacts.remove(artifact.id);
        kept.push({ name, file, sizeInBytes });
      }
    }
    return kept;
  }
}

async function bringTree(rooms: LocalRooms, tree: WorkingTree, runner: GitRunner): Promise<Snapshot> {
  const { repositories, temp } = rooms;
  const { id } = await repositories.create(tree.repository, { defaultBranch: tree.defaultBranch });
  return await snapshot(tree, repositories.folderOf(id), join(temp, `index-${id}`), runner);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
