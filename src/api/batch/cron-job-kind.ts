import type { Problem } from "#lib";
import { invalid, required, unsupported, wholeNumberProblems } from "../argo/field-problem.ts";
import { imageColumns } from "../apps/workload-rules.ts";
import { ageSince } from "../meta/human-age.ts";
import { defineKind, type PrinterColumn } from "../meta/kind.ts";
import { selectorText } from "../meta/selector-text.ts";
import { type CronJob, cronJobs } from "./cron-job.ts";
import { cronProblem } from "./cron-schedule.ts";
import { setPodSpecDefaults } from "../core/pod-defaults.ts";
import { setFailurePolicyDefaults } from "./job-defaults.ts";
import { jobSpecProblems } from "./job-validation.ts";

export const cronJobKind = defineKind<CronJob>({
  type: cronJobs,
  singular: "cronjob",
  shortNames: ["cj"],
  categories: ["all"],
  status: true,
  generation: true,
  setDefaults({ spec }) {
    if (spec === undefined) return;
    spec.concurrencyPolicy ??= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    setPodSpecDefaults(spec.jobTemplate?.spec?.template?.spec);
    setFailurePolicyDefaults(spec.jobTemplate?.spec);
  },
  validate: validateCronJob,
  columns: [
    { name: "Schedule", cell: ({ spec }) => spec.schedule },
    { name: "Timezone", cell: ({ spec }) => spec.timeZone ?? "<none>" },
    { name: "Suspend", cell: ({ spec }) => (spec.suspend === true ? "True" : "False") },
    { name: "Active", type: "integer", cell: ({ status }) => status?.active?.length ?? 0 },
    {
      name: "Last Schedule",
      cell: ({ status }, now) =>
        status?.lastScheduleTime === undefined ? "<none>" : ageSince(status.lastScheduleTime, now),
    },
    ...jobColumns(),
  ],
});

function jobColumns(): PrinterColumn<CronJob>[] {
  const ofJob = imageColumns().map((column): PrinterColumn<CronJob> => ({
    ...column,
    cell: ({ apiVersion, kind, metadata, spec }, now) =>
      column.cell({ apiVersion, kind, metadata, spec: spec.jobTemplate.spec }, now),
  }));
  return [...ofJob, { name: "Selector", wide: true, cell: ({ spec }) => selectorText(spec.jobTemplate.spec.selector) }];
}

const policies = ["Allow", "Forbid", "Replace"];
/** A job's name is the CronJob's with the time behind it, and must not outgrow a label. */
const maxName = 52;

function validateCronJob({ metadata, spec }: CronJob, old: CronJob | undefined): Problem[] {
  if (spec === undefined) return [required("spec", "")];
  const problems: Problem[] = [
    ...scheduleProblems(spec),
    ...wholeNumberProblems("spec.startingDeadlineSeconds", spec.startingDeadlineSeconds),
    ...wholeNumberProblems("spec.successfulJobsHistoryLimit", spec.successfulJobsHistoryLimit),
    ...wholeNumberProblems("spec.failedJobsHistoryLimit", spec.failedJobsHistoryLimit),
  ];
  if (old === undefined && metadata.name.length > maxName) {
    problems.push(invalid("metadata.name", metadata.name, "must be no more than 52 characters"));
  }
  if (!policies.includes(spec.concurrencyPolicy ?? "Allow")) {
    problems.push(unsupported("spec.concurrencyPolicy", spec.concurrencyPolicy, policies));
  }
  if (spec.jobTemplate?.spec === undefined) return [...problems, required("spec.jobTemplate.spec", "")];
  if (spec.jobTemplate.spec.manualSelector !== undefined) {
    const path = "spec.jobTemplate.spec.manualSelector";
    problems.push({ path, message: 'Unsupported value: true: supported values: "nil", "false"' });
  }
  return [...problems, ...jobSpecProblems(spec.jobTemplate.spec, "spec.jobTemplate.spec")];
}

function scheduleProblems({ schedule, timeZone }: CronJob["spec"]): Problem[] {
  if (!schedule) return [required("spec.schedule", "")];
  const problems: Problem[] = [];
  const why = cronProblem(schedule);
  if (why !== undefined) problems.push(invalid("spec.schedule", schedule, why));
  else if (timeZone !== undefined && /TZ/.test(schedule)) {
    problems.push(invalid("spec.schedule", schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
  }
  if (timeZone === undefined) return problems;
  if (timeZone === "") problems.push(invalid("spec.timeZone", timeZone, "timeZone must be nil or non-empty string"));
  else if (timeZone.toLowerCase() === "local") {
    problems.push(
      invalid(
        "spec.timeZone",
        timeZone,
        "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
      ),
    );
  } else if (!isTimeZone(timeZone)) {
    problems.push(invalid("spec.timeZone", timeZone, `unknown time zone ${timeZone}`));
  }
  return problems;
}

function isTimeZone(name: string): boolean {
  try {
    Temporal.Now.zonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}
