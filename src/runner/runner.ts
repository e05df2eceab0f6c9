/** The runner: claims jobs, holds as many as it may, and first of all delivers what an earlier life of it left. */
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EngineClient, findEngine } from "#engine";
import { findContainerEngine, trimImageCache, type EngineSearch } from "#images";
import {
  findProgram,
  backoffDelayMs,
  readFileIfExists,
  TaskGroup,
  writeFileAtomic,
  type Clock,
  type Ids,
  type Log,
} from "#lib";
import { ActionStore } from "./actions/store/action-store.ts";
import { ControlClient } from "./control/control-client.ts";
import { ControlRefused, Dismissed } from "./errors.ts";
import { findJournals } from "./journal/journal.ts";
import { LeftFolders } from "./journal/left-folders.ts";
import { ClaimIds } from "./job/claim-ids.ts";
import { Delivery } from "./job/delivery.ts";
import { deliver, endRemains, holdJob, type HoldOptions } from "./job/hold-job.ts";
import { imageCacheIn } from "./job/job-folders.ts";
import type { RunnerFacts } from "./job/job.ts";

export interface RunnerOptions {
  /** Where control listens, e.g. `http://127.0.0.1:7070`. */
  readonly controlUrl: string;
  readonly token: string;
  /** Shown to people. */
  readonly name: string;
  readonly labels: readonly string[];
  /** Of this runner alone; holds its jobs, its tools and its image cache. */
  readonly workFolder: string;
  /** Tools and image cache; default: in the work folder. */
  readonly sharedFolder?: string;
  /** A folder that every job has as its workspace, in place of one of its own: a working tree of somebody. */
  readonly boundWorkspace?: string;
  /** The Node that runs JavaScript actions; on the PATH of steps only when the host has no `node`. */
  readonly nodePath: string;
  /** Jobs at a time. */
  readonly concurrency: number;
  /** What steps start from: a clean PATH, HOME, LANG, USER, SHELL. Without PATH the system's usual one. */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** Where the engine for containers of jobs is, as DOCKER_HOST says it; absent: where engines usually are. */
  readonly engine?: string;
  /** Socket of an engine that runs as this user. */
  readonly userEngine?: string;
  /** Scripts of this machine that run before and after the steps of each job. */
  readonly hooks?: { readonly started?: string; readonly completed?: string };
  /** Takes one job, then `run` returns. */
  readonly ephemeral?: boolean;
  /** Where a server gave it one; else it makes one up and keeps it. */
  readonly runnerId?: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

export interface Runner extends AsyncDisposable {
  /** Works until the signal aborts; then kills its jobs, says so to control, and returns. */
  run(signal: AbortSignal): Promise<void>;
}

/** Layers of base images and of our own; looked at when the runner starts. */
const maxImageCacheBytes = 10 * 1024 ** 3;

/** Archives of actions; looked at when the runner starts. */
const maxActionBytes = 4 * 1024 ** 3;

const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const failureRetry = { initialMs: 500, factor: 2, maxMs: 30_000, jitter: 0.2 };

export function createRunner(options: RunnerOptions): Runner {
  return new ClaimingRunner(options);
}

class ClaimingRunner implements Runner {
  readonly #options: RunnerOptions;
  readonly #control: ControlClient;
  readonly #jobsFolder: string;
  readonly #claims: ClaimIds;
  readonly #sharedFolder: string;
  readonly #actionStore: ActionStore;
  readonly #tasks: TaskGroup;
  /** Aborted with the `Dismissed` that every slot ends by. */
  readonly #dismissal = new AbortController();
  /** Outlives the slots by a little. */
  readonly #background: TaskGroup;
  readonly #leftFolders: LeftFolders;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#control = new ControlClient(options);
    this.#jobsFolder = join(options.workFolder, "jobs");
    this.#claims = new ClaimIds(join(options.workFolder, "claims"), options.ids);
    this.#sharedFolder = options.sharedFolder ?? join(options.workFolder, "shared");
    this.#actionStore = new ActionStore({ ...options, folder: join(this.#sharedFolder, "actions") });
    const report = (error: unknown, name: string): void => options.log.error("Runner task failed", { name, error });
    this.#tasks = new TaskGroup(report);
    this.#background = new TaskGroup(report);
    this.#leftFolders = new LeftFolders(options.clock, options.log);
  }

  async run(signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#tasks.signal, this.#dismissal.signal]);
    await mkdir(this.#jobsFolder, { recursive: true });
    const runnerId = this.#options.runnerId ?? (await this.#identity());
    const hold = this.#holdOptions();
    const left = await findJournals(this.#jobsFolder);
    const noted = new Set(left.map(({ held }) => held.claimId));
    // Before new work: what the earlier life started must not run beside it.
    for (const journal of left) await endRemains(journal, hold);
    for (const journal of left) {
      this.#tasks.start(`deliver ${journal.held.jobId}`, async () => {
        // Stopped before control answered: the journal stays for the next start.
        await deliver(journal, hold, stop).catch((error: unknown) => {
          if (!stop.aborted) throw error;
        });
      });
    }
    this.#background.start("trim image cache", async () => await this.#trimImages());
    // Before the first job: it removes what is half done.
    await this.#actionStore.trim(maxActionBytes);
    const { concurrency, ephemeral = false } = this.#options;
    // One that was killed in its only job has had it.
    const slots = ephemeral ? (left.length > 0 ? 0 : 1) : concurrency;
    for (let slot = 0; slot < slots; slot++) {
      this.#tasks.start(`slot ${slot}`, async () => await this.#work(slot, runnerId, noted, hold, stop));
    }
    await this.#tasks.settled();
    await this.#background.settled();
    await this.#leftFolders[Symbol.asyncDispose]();
    if (this.#dismissal.signal.aborted) throw this.#dismissal.signal.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
    await this.#background[Symbol.asyncDispose]();
    await this.#leftFolders[Symbol.asyncDispose]();
  }

  async #work(
    slot: number,
    runnerId: string,
    noted: ReadonlySet<string>,
    hold: HoldOptions,
    stop: AbortSignal,
  ): Promise<void> {
    const { name, labels, ids, log, clock } = this.#options;
    let claimId: string | undefined;
    const onNoted = (): void => {
      claimId = this.#claims.next(slot);
    };
    let failures = 0;
    await using delivery = new Delivery((error) => log.error("Job could not be delivered", { error }));
    while (!stop.aborted) {
      try {
        claimId ??= await this.#claims.first(slot, noted);
        const assignment = await this.#control.claim({ runnerId, name, labels, claimId }, stop);
        failures = 0;
        if (assignment === undefined) claimId = this.#claims.next(slot);
        else {
          const ran = Promise.withResolvers<void>();
          const held = holdJob({ assignment, claimId, onNoted, onRan: ran.resolve }, hold, stop);
          await Promise.race([ran.promise, held]);
          await delivery.follow(held);
        }
        if (assignment !== undefined && this.#options.ephemeral === true) return;
      } catch (error) {
        if (stop.aborted) return;
        const dismissed = this.#dismissedBy(error);
        if (dismissed !== undefined) {
          this.#dismissal.abort(dismissed);
          return;
        }
        // A refused token, a full disk: the slot stays and tries again, ever more rarely.
        log.error("Job could not be taken", { error });
        await clock.sleep(backoffDelayMs(failureRetry, failures++, ids.random()), stop).catch(() => {});
      }
    }
  }

  /** A registered runner is told for good; the server's own waits for the server to be itself again. */
  #dismissedBy(error: unknown): Dismissed | undefined {
    if (this.#options.runnerId === undefined || !(error instanceof ControlRefused)) return undefined;
    const { status, said = error.message } = error.details ?? {};
    return status === 401 || status === 403 ? new Dismissed(said) : undefined;
  }

  async #trimImages(): Promise<void> {
    const usedBefore = this.#options.clock.now().subtract({ hours: 6 });
    const removed = await trimImageCache(imageCacheIn(this.#sharedFolder), {
      maxBytes: maxImageCacheBytes,
      usedBefore,
    });
    if (removed > 0) this.#options.log.info("Image cache trimmed", { removedBytes: removed });
  }

  /** The same after a restart, so that control knows who comes back. */
  async #identity(): Promise<string> {
    const path = join(this.#options.workFolder, "runner-id");
    const known = (await readFileIfExists(path))?.trim();
    if (known !== undefined && known !== "") return known;
    const fresh = this.#options.ids.uuid();
    await writeFileAtomic(path, fresh);
    return fresh;
  }

  #holdOptions(): HoldOptions {
    const { clock, ids, log, boundWorkspace } = this.#options;
    return {
      ...(boundWorkspace === undefined ? {} : { boundWorkspace }),
      control: this.#control,
      leftFolders: this.#leftFolders,
      runner: runnerFacts(this.#options),
      jobsFolder: this.#jobsFolder,
      sharedFolder: this.#sharedFolder,
      actionStore: this.#actionStore,
      clock,
      ids,
      log,
    };
  }
}

function runnerFacts(options: RunnerOptions): RunnerFacts {
  const path = options.baseEnv["PATH"] ?? usualPath;
  const hostNode = findProgram("node", path, "/");
  const baseEnv = { ...options.baseEnv, PATH: hostNode === undefined ? `${path}:${dirname(options.nodePath)}` : path };
  let engine: EngineSearch | undefined;
  return {
    name: options.name,
    baseEnv,
    nodePath: options.nodePath,
    hooks: options.hooks ?? {},
    os: process.platform === "darwin" ? "macOS" : "Linux",
    arch: process.arch === "arm64" ? "ARM64" : "X64",
    engine: async (signal) => (engine ??= await findContainerEngine({ env: baseEnv, signal })),
    // Asked each time: an engine may be started after the runner.
    containers: async (signal) => await EngineClient.connect(findEngine(options.engine, options.userEngine), signal),
  };
}
