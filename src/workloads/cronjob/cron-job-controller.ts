/** Starts the Jobs of each CronJob when their time comes. */
import { apiVersionOf, controllerOf, type CronJob, cronJobs, type Job, jobs, type ObjectReference } from "#api";
import {
  type Controller,
  createController,
  type Outcome,
  recordEvent,
  requestsOfOwner,
  settled,
  watching,
} from "#controller";
import { isKubeError, KubeError } from "#kube";
import { deepEqual, errorMessage } from "#lib";
import type { ControllerContext } from "../controller-context.ts";
import type { OwnWrites } from "../pods/own-writes.ts";
import { writeStatus } from "../write-status.ts";
import { type CronJobPlan, type CronJobStatus, planCronJob } from "./plan-cron-job.ts";

interface Scope {
  readonly context: ControllerContext;
  readonly jobs: OwnWrites<Job>;
  readonly cronJobs: OwnWrites<CronJob>;
}

export function createCronJobController(context: ControllerContext, written: Omit<Scope, "context">): Controller {
  const scope: Scope = { context, ...written };
  return createController({
    ...context,
    name: "cronjob-controller",
    primary: cronJobs,
    watches: [watching(jobs, requestsOfOwner("CronJob"))],
    async reconcile({ namespace, name }, signal) {
      const cronJob = scope.cronJobs.get(namespace, name);
      return cronJob === undefined ? settled : await reconcile(scope, cronJob, signal);
    },
  });
}

async function reconcile(scope: Scope, cronJob: CronJob, signal: AbortSignal): Promise<Outcome> {
  const { context } = scope;
  const now = context.clock.now();
  const own = scope.jobs
    .list(cronJob.metadata.namespace ?? "")
    .filter((job) => controllerOf(job)?.uid === cronJob.metadata.uid);
  const plan = planCronJob({ cronJob, jobs: own, now, timeZone: context.timeZone });
  for (const event of plan.events) await tell(scope, cronJob, event.type, event.reason, event.message, signal);
  for (const job of plan.remove) await remove(scope, cronJob, job, signal);
  const status = await start(scope, cronJob, plan, signal);
  if (!deepEqual(status, cronJob.status ?? {})) {
    const written = await writeStatus(context.cluster, cronJobs, { ...cronJob, status }, signal);
    if (written === undefined) return settled;
    scope.cronJobs.written(written);
  }
  const { wakeAtMs } = plan;
  if (wakeAtMs === undefined) return settled;
  return { kind: "wait", ms: wakeAtMs - now.epochMilliseconds, reason: "the next run is due then" };
}

/** The status after the job was made; that of the plan when none is due or another's has its name. */
async function start(scope: Scope, cronJob: CronJob, plan: CronJobPlan, signal: AbortSignal): Promise<CronJobStatus> {
  if (plan.start === undefined) return plan.status;
  const made = await create(scope, cronJob, plan.start.job, signal);
  if (made === undefined) return plan.status;
  const reference: ObjectReference = {
    kind: "Job",
    namespace: made.metadata.namespace ?? "",
    name: made.metadata.name,
    uid: made.metadata.uid ?? "",
    apiVersion: apiVersionOf(jobs),
    resourceVersion: made.metadata.resourceVersion ?? "",
  };
  return {
    ...plan.status,
    active: [...(plan.status.active ?? []), reference],
    lastScheduleTime: plan.start.scheduleTime,
  };
}

async function create(scope: Scope, cronJob: CronJob, job: Job, signal: AbortSignal): Promise<Job | undefined> {
  const { cluster } = scope.context;
  const { namespace = "", name } = job.metadata;
  try {
    const made = await cluster.create(jobs, job, { signal });
    scope.jobs.written(made);
    await tell(scope, cronJob, "Normal", "SuccessfulCreate", `Created job ${name}`, signal);
    return made;
  } catch (error) {
    if (isKubeError(error, "AlreadyExists")) {
      // Made before a crash that came between it and the status, or somebody else's.
      const present = await cluster.get(jobs, { namespace, name }, { signal });
      return present !== undefined && controllerOf(present)?.uid === cronJob.metadata.uid ? present : undefined;
    }
    signal.throwIfAborted();
    const causes = error instanceof KubeError ? error.details?.causes : undefined;
    const ending = causes?.some(({ reason }) => reason === "NamespaceTerminating") ?? false;
    if (!ending)
      await tell(scope, cronJob, "Warning", "FailedCreate", `Error creating job: ${errorMessage(error)}`, signal);
    throw error;
  }
}

async function remove(scope: Scope, cronJob: CronJob, job: Job, signal: AbortSignal): Promise<void> {
  const { namespace = "", name, uid = "" } = job.metadata;
  const options = { propagationPolicy: "Background", preconditions: { uid }, signal } as const;
  try {
    await scope.context.cluster.delete(jobs, { namespace, name }, options);
    scope.jobs.deleted(job);
    await tell(scope, cronJob, "Normal", "SuccessfulDelete", `Deleted job ${name}`, signal);
  } catch (error) {
    if (isKubeError(error, "NotFound") || isKubeError(error, "Conflict")) return;
    signal.throwIfAborted();
    await tell(scope, cronJob, "Warning", "FailedDelete", `Deleted job: ${errorMessage(error)}`, signal);
    throw error;
  }
}

async function tell(
  { context }: Scope,
  cronJob: CronJob,
  type: "Normal" | "Warning",
  reason: string,
  message: string,
  signal: AbortSignal,
): Promise<void> {
  const options = { ...context, component: "cronjob-controller" };
  await recordEvent(options, cronJobs, cronJob, { type, reason, message }, signal);
}
