/** Holds one claimed job: keeps its lease, runs it, and delivers its log and result; nothing is lost on the way. */
import { errorCode, TaskGroup, Wake, withDeadline, type Clock, type Ids, type Log } from "#lib";
import type { JobAssignment } from "#workflows";
import { JobActions, type ActionDelivery } from "../actions/job-actions.ts";
import type { ActionStore } from "../actions/store/action-store.ts";
import type { ControlClient } from "../control/control-client.ts";
import { ControlRefused, LeaseLost } from "../errors.ts";
import { removeOf } from "../containers/job-engine.ts";
import { killOrphans } from "../exec/orphans.ts";
import { JobLog } from "../journal/job-log.ts";
import {
  closeJournal,
  hasContainers,
  noteContainers,
  openJournal,
  readResult,
  saveResult,
  type JobJournal,
} from "../journal/journal.ts";
import type { LeftFolders } from "../journal/left-folders.ts";
import { LogShipper } from "../journal/log-shipper.ts";
import { StepLogs } from "../journal/step-log.ts";
import { Masker } from "../masking/masker.ts";
import { FileCommandStock } from "../steps/step-files.ts";
import { makeJobFolders } from "./job-folders.ts";
import { Job, type RunnerFacts } from "./job.ts";
import { JobRun } from "./run-job.ts";
import { StepBoard } from "./step-board.ts";

export interface DeliverOptions {
  readonly control: ControlClient;
  readonly log: Log;
  /** Takes the folder of a job that is over. */
  readonly leftFolders: LeftFolders;
}

export interface HoldOptions extends DeliverOptions {
  readonly runner: RunnerFacts;
  readonly jobsFolder: string;
  readonly sharedFolder: string;
  readonly actionStore: ActionStore;
  readonly boundWorkspace?: string;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** What happens within this time is told together: steps that take milliseconds are not held up by telling of each. */
const foldMs = 20;

/** What does not wait to be told with more. */
const foldBytes = 256 * 1024;

/** Most jobs that fail at once, or are about one command, are over by then: control has just given out the lease. */
const firstHeartbeatMs = 250;

/** How long a runner that stops tries to say so. */
const farewellMs = 3_000;

/** A job as control gave it. */
export interface Claimed {
  readonly assignment: JobAssignment;
  readonly claimId: string;
  /** Called once the job is noted on disk: the claim is not to be repeated any more. */
  readonly onNoted: () => void;
  /** Called once its steps have ended and its result is on disk: whatever becomes of this runner, control will have it. */
  readonly onRan: () => void;
}

/** Returns when control has everything of the job, or has taken it away. Aborting `signal` kills and abandons the job. */
export async function holdJob(claimed: Claimed, options: HoldOptions, signal: AbortSignal): Promise<void> {
  const { assignment, claimId } = claimed;
  const trackingId = `tidegate_${options.ids.uuid()}`;
  const { jobId, lease } = assignment;
  const journal = openJournal(options.jobsFolder, { jobId, lease, trackingId, claimId });
  claimed.onNoted();
  try {
    await new Holding(claimed, journal, options, signal).run();
    forget(journal, options);
  } catch (error) {
    await endRemains(journal, options);
    if (error instanceof LeaseLost) {
      options.log.warn("Job was taken away", { jobId });
      forget(journal, options);
    } else if (signal.aborted) await sayFarewell(journal, options, "The runner was stopped while the job ran");
    else {
      options.log.error("Job could not be run", { jobId, error });
      await sayFarewell(journal, options, whyFailed(error));
    }
  }
}

/** What a person can mend without the log of the runner, in words; everything else is told there. */
const machineTroubles: Readonly<Record<string, string>> = {
  ENOSPC: "The disk of the runner is full",
  EDQUOT: "The runner may not use more of its disk",
  EROFS: "The disk of the runner cannot be written",
  EMFILE: "The runner has too many open files",
  ENFILE: "The machine of the runner has too many open files",
};

function whyFailed(error: unknown): string {
  return machineTroubles[errorCode(error) ?? ""] ?? "The runner failed while it ran the job";
}

/** Processes and containers that a job has left behind, found by its tracking id; what cannot be removed is logged. */
export async function endRemains(journal: JobJournal, { runner, clock, log }: HoldOptions): Promise<void> {
  const { trackingId, jobId } = journal.held;
  await killOrphans(trackingId, clock);
  if (!(await hasContainers(journal))) return;
  try {
    await removeOf(await runner.containers(withDeadline(new AbortController().signal, engineMs)), trackingId);
  } catch (error) {
    log.warn("Containers of a job could not be removed", { jobId, label: `tidegate.dev/job=${trackingId}`, error });
  }
}

/** An engine that does not answer by then must not hold up the jobs to come. */
const engineMs = 10_000;

/** Sends what a journal of an earlier life holds: the log, then the result; without a result the job is abandoned. */
export async function deliver(
  journal: JobJournal,
  options: DeliverOptions,
  signal: AbortSignal,
  reason = "The runner was restarted while the job ran",
): Promise<void> {
  const { control, log } = options;
  const { jobId, lease } = journal.held;
  try {
    using logs = new StepLogs(journal.logFolder);
    const shipper = new LogShipper(journal.held, logs, control, true);
    const result = await readResult(journal);
    if (result === undefined) {
      await shipper.flush(signal);
      await control.abandon(jobId, { lease, reason }, signal);
    } else await shipper.complete(result, signal);
  } catch (error) {
    // What control refuses now it would refuse for ever: keeping it would only fail at each start.
    if (error instanceof ControlRefused) log.error("Control refused what was left of a job", { jobId, error });
    else if (!(error instanceof LeaseLost)) throw error;
  }
  forget(journal, options);
}

function forget(journal: JobJournal, options: DeliverOptions): void {
  closeJournal(journal);
  options.leftFolders.add(journal.folder);
}

/** Tries once, shortly; what cannot be said now is said by the next life of the runner. */
async function sayFarewell(journal: JobJournal, options: HoldOptions, reason: string): Promise<void> {
  const deadline = withDeadline(new AbortController().signal, farewellMs);
  try {
    await deliver(journal, { ...options, control: options.control.once() }, deadline, reason);
  } catch (error) {
    options.log.warn("Job was not abandoned in time: the next start does it", { jobId: journal.held.jobId, error });
  }
}

class Holding {
  readonly #assignment: JobAssignment;
  readonly #onRan: () => void;
  readonly #journal: JobJournal;
  readonly #options: HoldOptions;
  readonly #kill = new AbortController();
  readonly #stopKill: AbortSignal;
  /** Something is to be reported. */
  readonly #changed = new Wake();
  #ending = false;
  #failure: unknown;

  constructor({ assignment, onRan }: Claimed, journal: JobJournal, options: HoldOptions, signal: AbortSignal) {
    this.#assignment = assignment;
    this.#onRan = onRan;
    this.#journal = journal;
    this.#options = options;
    this.#stopKill = AbortSignal.any([signal, this.#kill.signal]);
  }

  /** Returns when control has taken the result. Throws when the lease is lost or the runner stops. */
  async run(): Promise<void> {
    const { control, clock } = this.#options;
    using logs = new StepLogs(this.#journal.logFolder);
    const shipper = new LogShipper(this.#journal.held, logs, control);
    const masker = new Masker(Object.values(this.#assignment.secrets));
    for (const token of serviceTokens(this.#assignment)) masker.add(token);
    const jobLog = new JobLog(logs, () => this.#changed.notify(), masker, clock);
    const board = new StepBoard(clock, () => this.#changed.notify());
    const job = this.#makeJob(masker);
    const run = new JobRun(job, board, jobLog, () => this.#kill.abort());
    try {
      await this.#runAndReport(run, board, shipper);
    } catch (error) {
      // A lost lease aborts everything else: the reason is what counts.
      throw this.#failure ?? error;
    }
  }

  async #runAndReport(run: JobRun, board: StepBoard, shipper: LogShipper): Promise<void> {
    await using loops = new TaskGroup((error) => {
      this.#failure ??= error;
      this.#kill.abort();
    });
    loops.start("heartbeat", async (signal) => await this.#heartbeat(run, signal));
    loops.start("report", async (signal) => await this.#report(board, shipper, signal));
    const result = await run.run();
    // From here on the result says how the steps are.
    this.#ending = true;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#stopKill.aborted && !this.#kill.signal.aborted) throw this.#stopKill.reason;
    // The heartbeat goes on meanwhile: with control away this can take long.
    const ending = AbortSignal.any([this.#stopKill, loops.signal]);
    saveResult(this.#journal, result);
    this.#onRan();
    await shipper.complete(result, ending);
  }

  #makeJob(masker: Masker): Job {
    const { runner, clock, ids, sharedFolder, boundWorkspace } = this.#options;
    const { repository, contexts } = this.#assignment;
    const { workFolder } = this.#journal;
    const event = contexts.github["event"];
    const folders = makeJobFolders(workFolder, sharedFolder, repository, event, boundWorkspace);
    const { trackingId } = this.#journal.held;
    return new Job({
      assignment: this.#assignment,
      folders,
      fileCommands: new FileCommandStock(folders.fileCommands, ids, this.#assignment.steps.length > 1),
      masker,
      runner,
      actions: new JobActions(this.#delivery(), folders.actions),
      trackingId,
      clock,
      ids,
      kill: this.#stopKill,
      noteContainers: () => noteContainers(this.#journal),
      log: this.#options.log,
    });
  }

  #delivery(): ActionDelivery {
    const { control, actionStore } = this.#options;
    const { jobId, lease } = this.#assignment;
    return {
      resolve: async (actions, signal) => (await control.actions(jobId, { lease, actions }, signal)).actions,
      async unpack(archive, folder, signal) {
        const { source, host, repository, sha, lock: wanted } = archive;
        const request = { lease, source, repository, sha, ...(host === undefined ? {} : { host }) };
        await actionStore.unpack(sha, folder, { wanted, signal }, async (take) => {
          await control.archive(jobId, request, take, signal);
        });
      },
    };
  }

  async #heartbeat(run: JobRun, signal: AbortSignal): Promise<void> {
    const { control, clock } = this.#options;
    const { jobId, lease, leaseMs } = this.#assignment;
    const everyMs = leaseMs / 3;
    await clock.sleep(Math.min(everyMs, firstHeartbeatMs), signal);
    for (;;) {
      const askedMs = clock.monotonicMs();
      // Held open by control, so that a cancel comes through at once.
      if ((await control.heartbeat(jobId, { lease, waitMs: Math.floor(everyMs) }, signal)).cancel) run.cancel();
      await clock.sleep(Math.max(0, askedMs + everyMs - clock.monotonicMs()), signal);
    }
  }

  async #report(board: StepBoard, shipper: LogShipper, signal: AbortSignal): Promise<void> {
    let reported = 0;
    for (;;) {
      await this.#changed.wait(signal);
      await this.#options.clock.sleep(foldMs, signal);
      if (this.#ending) return;
      const { revision } = board;
      const steps =
        revision === reported ? undefined : `"steps":${JSON.stringify(board.list())},"revision":${revision}`;
      await shipper.send(steps, signal);
      // Only what is too much for one report is sent on without a pause.
      while (shipper.left > foldBytes && (await shipper.send(undefined, signal)));
      if (shipper.left > 0) this.#changed.notify();
      reported = revision;
    }
  }
}

function serviceTokens(assignment: JobAssignment): string[] {
  const { runtimeToken, idTokenRequestToken } = assignment.services;
  const token = assignment.contexts.github["token"];
  return [runtimeToken, idTokenRequestToken, token, assignment.lease].filter((text) => typeof text === "string");
}
