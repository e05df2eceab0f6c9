import { ageSince, humanAge } from "../meta/human-age.ts";
import { defineKind } from "../meta/kind.ts";
import { templateColumns } from "../apps/workload-rules.ts";
import { type Job, jobs } from "./job.ts";
import { setJobSelector, setJobSpecDefaults } from "./job-defaults.ts";
import { validateJob } from "./job-validation.ts";

export const jobKind = defineKind<Job>({
  type: jobs,
  singular: "job",
  categories: ["all"],
  status: true,
  generation: true,
  setDefaults(job) {
    if (job.spec === undefined) return;
    setJobSpecDefaults(job.spec);
    job.spec.manualSelector ??= false;
    const { template } = job.spec;
    // A job's own labels are those of its template where it has none.
    const labels = template?.metadata?.labels ?? {};
    const own = job.metadata.labels ?? {};
    if (job.metadata.generation === 1 && job.metadata.resourceVersion === undefined && Object.keys(own).length === 0) {
      if (Object.keys(labels).length > 0) job.metadata.labels = { ...labels };
    }
  },
  complete(job, old) {
    if (old === undefined) setJobSelector(job);
  },
  validate: validateJob,
  columns: [
    { name: "Status", cell: statusText },
    { name: "Completions", cell: completionsText },
    { name: "Duration", cell: durationText },
    ...templateColumns<Job>(),
  ],
  selectableFields: { "status.successful": ({ status }) => String(status?.succeeded ?? 0) },
});

function statusText({ metadata, spec, status }: Job): string {
  const has = (type: string): boolean =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;
  if (has("Complete")) return "Complete";
  if (has("Failed")) return "Failed";
  if (metadata.deletionTimestamp !== undefined) return "Terminating";
  if (has("Suspended") || spec.suspend === true) return "Suspended";
  if (has("FailureTarget")) return "FailureTarget";
  return has("SuccessCriteriaMet") ? "SuccessCriteriaMet" : "Running";
}

function completionsText({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationText({ status }: Job, now: Temporal.Instant): string {
  const { startTime, completionTime } = status ?? {};
  if (startTime === undefined) return "";
  if (completionTime === undefined) return ageSince(startTime, now);
  const [start, end] = [startTime, completionTime].map((time) => Temporal.Instant.from(time).epochMilliseconds);
  return humanAge((end ?? 0) - (start ?? 0));
}
