import { setPodSpecDefaults } from "../core/pod-defaults.ts";
import type { ObjectMeta } from "../meta/object.ts";
import type { Job, JobSpec } from "./job.ts";

/** Labels by which the pods of a job are found; the first two are those of older clients. */
const jobLabels = {
  oldUid: "controller-uid",
  oldName: "job-name",
  uid: "batch.kubernetes.io/controller-uid",
  name: "batch.kubernetes.io/job-name",
} as const;

export function setJobSpecDefaults(spec: JobSpec | undefined): void {
  if (spec === undefined) return;
  // For a job with neither, one run; with completions alone, one at a time; with parallelism alone, a work queue.
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  // Where the back-off is counted by index there is no limit in all but the largest number.
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2_147_483_647;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
  setFailurePolicyDefaults(spec);
  setPodSpecDefaults(spec.template?.spec);
}

/** Of the job templates of CronJobs too, which get none of the other defaults before they are jobs. */
export function setFailurePolicyDefaults(spec: JobSpec | undefined): void {
  for (const rule of spec?.podFailurePolicy?.rules ?? []) {
    for (const condition of rule.onPodConditions ?? []) if (!condition.status) condition.status = "True";
  }
}

/** Makes the selector of a job that leaves it to us, which is known only once the job has its uid. */
export function setJobSelector({ metadata, spec }: Job): void {
  if (spec === undefined || spec.manualSelector === true || metadata.uid === undefined) return;
  if (spec.template === undefined || spec.selector !== undefined) return;
  const { uid, name } = metadata;
  const own = {
    [jobLabels.oldUid]: uid,
    [jobLabels.oldName]: name,
    [jobLabels.uid]: uid,
    [jobLabels.name]: name,
  };
  const template: Partial<ObjectMeta> = (spec.template.metadata ??= {});
  template.labels = { ...template.labels, ...own };
  spec.selector = { matchLabels: { [jobLabels.uid]: uid } };
}
