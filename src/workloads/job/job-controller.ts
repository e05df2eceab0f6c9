/** Runs each Job's pods to their end. */
import { controllerOf, type Job, jobs, type Pod, pods } from "#api";
import { type Controller, createController, type Outcome, type Request, settled, watching } from "#controller";
import { isKubeError } from "#kube";
import { deepEqual } from "#lib";
import type { ControllerContext } from "../controller-context.ts";
import { claim } from "../pods/claim.ts";
import type { OwnWrites } from "../pods/own-writes.ts";
import {
  changePodOwner,
  createPods,
  deletePods,
  generatedNames,
  patchPod,
  type PodHolder,
  tell,
  type WriteFailure,
} from "../pods/pod-writes.ts";
import { writeStatus } from "../write-status.ts";
import { isTracked, jobPodOf, namePrefix, trackingFinalizer } from "./job-pods.ts";
import { type JobPlan, planJob } from "./plan-job.ts";

interface Scope extends PodHolder<Job> {
  readonly jobs: OwnWrites<Job>;
}

/** Counting a pod takes three rounds; more than these in one go would only mean that the world moves under us. */
const maxRounds = 6;

export function createJobController(context: ControllerContext, written: Pick<Scope, "pods" | "jobs">): Controller {
  const component = "job-controller";
  const scope: Scope = { context, type: jobs, component, ...written };
  return createController({
    ...context,
    name: component,
    primary: jobs,
    watches: [watching(pods, (pod) => requestsOf(scope, pod))],
    concurrency: 8,
    async reconcile({ namespace, name }, signal) {
      const job = scope.jobs.get(namespace, name);
      await releaseStrays(scope, namespace, signal);
      // Another controller's, by its own wish.
      if (job === undefined || (job.spec.managedBy ?? ours) !== ours) return settled;
      return await reconcile(scope, job, signal);
    },
  });
}

const ours = "kubernetes.io/job-controller";

/** Its job; for an orphan every job of the namespace that may adopt it. */
function requestsOf(scope: Scope, pod: Pod): readonly Request[] {
  const { namespace = "" } = pod.metadata;
  const owner = controllerOf(pod);
  if (owner?.kind === "Job") return [{ namespace, name: owner.name }];
  if (owner !== undefined) return [];
  const known = scope.jobs.list(namespace).map(({ metadata }) => ({ namespace, name: metadata.name }));
  return isTracked(pod) && known.length === 0 ? [{ namespace, name: "" }] : known;
}

/** Pods that wait to be counted by a job that is gone. */
async function releaseStrays(scope: Scope, namespace: string, signal: AbortSignal): Promise<void> {
  const live = new Set(scope.jobs.list(namespace).map(({ metadata }) => metadata.uid));
  for (const pod of scope.pods.list(namespace)) {
    const owner = controllerOf(pod);
    const stray = owner === undefined || (owner.kind === "Job" && !live.has(owner.uid));
    if (!isTracked(pod) || !stray) continue;
    // The cache of jobs may be the one that is behind.
    const job = owner && (await scope.context.cluster.get(jobs, { namespace, name: owner.name }, { signal }));
    if (job === undefined || job.metadata.uid !== owner?.uid) await untrack(scope, pod, signal);
  }
}

async function untrack(scope: Scope, pod: Pod, signal: AbortSignal): Promise<void> {
  const finalizers = (pod.metadata.finalizers ?? []).filter((name) => name !== trackingFinalizer);
  await patchPod(scope, pod, { finalizers }, signal);
}

async function reconcile(scope: Scope, first: Job, signal: AbortSignal): Promise<Outcome> {
  const { context } = scope;
  let job = first;
  await settleOwners(scope, job, signal);
  for (let round = 1; ; round++) {
    const now = context.clock.now();
    const plan = planJob({ job, pods: ownPods(scope, job), now });
    if (plan.expired) return await expire(scope, job, signal);
    const failure = await changePods(scope, job, plan, signal);
    const changed = !deepEqual(plan.status, job.status ?? {});
    if (changed) {
      const written = await writeStatus(context.cluster, jobs, { ...job, status: plan.status }, signal);
      // Its pods are released by the event of its end.
      if (written === undefined) return settled;
      job = written;
      scope.jobs.written(job);
    }
    for (const pod of plan.untrack) await untrack(scope, pod, signal);
    for (const event of plan.events) await tell(scope, job, event, signal);
    if (failure !== undefined) throw new Error(failure.message);
    const moved = changed || plan.untrack.length + plan.abort.length + plan.end.length + plan.create.length > 0;
    if (moved && round < maxRounds) continue;
    if (moved) return { kind: "wait", ms: 0, reason: "there is more to count" };
    const { wakeAtMs } = plan;
    return wakeAtMs === undefined
      ? settled
      : { kind: "wait", ms: wakeAtMs - now.epochMilliseconds, reason: "a time of the job comes then" };
  }
}

async function settleOwners(scope: Scope, job: Job, signal: AbortSignal): Promise<void> {
  const claims = claim(job, job.spec.selector, scope.pods.list(job.metadata.namespace ?? ""));
  for (const pod of claims.adopt) {
    const finalizers = [...(pod.metadata.finalizers ?? []), trackingFinalizer];
    await changePodOwner(scope, job, pod, "adopt", signal, isTracked(pod) ? {} : { finalizers });
  }
  for (const pod of claims.release) {
    const finalizers = (pod.metadata.finalizers ?? []).filter((name) => name !== trackingFinalizer);
    await changePodOwner(scope, job, pod, "release", signal, { finalizers });
  }
}

function ownPods(scope: Scope, job: Job): readonly Pod[] {
  return claim(job, job.spec.selector, scope.pods.list(job.metadata.namespace ?? "")).owned;
}

async function changePods(
  scope: Scope,
  job: Job,
  plan: JobPlan,
  signal: AbortSignal,
): Promise<WriteFailure | undefined> {
  for (const pod of plan.end) if (isTracked(pod)) await untrack(scope, pod, signal);
  const made = plan.create.map((wanted) =>
    jobPodOf(job, wanted, generatedNames(scope.context, namePrefix(job, wanted))),
  );
  const failure = await deletePods(scope, job, [...plan.end, ...plan.abort], signal);
  return failure ?? (await createPods(scope, job, made, signal));
}

/** With its pods, which go first, as upstream. */
async function expire({ context }: Scope, { metadata }: Job, signal: AbortSignal): Promise<Outcome> {
  const { namespace = "", name, uid = "" } = metadata;
  const options = { propagationPolicy: "Foreground", preconditions: { uid }, signal } as const;
  try {
    await context.cluster.delete(jobs, { namespace, name }, options);
  } catch (error) {
    if (!isKubeError(error, "NotFound") && !isKubeError(error, "Conflict")) throw error;
  }
  return settled;
}
