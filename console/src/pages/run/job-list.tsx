import type { JobDetail } from "#api";
import { Mark } from "../../parts/mark.tsx";
import { runState, runWord } from "../../parts/states.ts";
import { Span } from "../../parts/time.tsx";
import { depthOf, ownName } from "./called-jobs.ts";

interface JobListProps {
  readonly jobs: readonly JobDetail[];
  readonly selected: string;
  readonly onSelect: (id: string) => void;
  readonly onStep: (id: string, step: number) => void;
}

export function JobList({ jobs, selected, onSelect, onStep }: JobListProps) {
  return (
    <nav className="panel jobs" aria-label="Jobs">
      <ol>
        {jobs.map((job) => (
          <li key={job.id} style={{ paddingInlineStart: `${depthOf(job, jobs) * 14}px` }}>
            <button
              type="button"
              data-row
              className="jobs-job"
              aria-current={job.id === selected}
              onClick={() => onSelect(job.id)}
            >
              <Mark state={runState(job)} label={runWord(job)} />
              <span className="clip" title={job.name}>
                {ownName(job, jobs)}
              </span>
              <span className="jobs-time">
                {job.startedAt === undefined ? null : <Span from={job.startedAt} to={job.completedAt} />}
              </span>
            </button>
            {job.id === selected ? <Steps job={job} onStep={onStep} /> : null}
          </li>
        ))}
      </ol>
    </nav>
  );
}

function Steps({ job, onStep }: { job: JobDetail; onStep: JobListProps["onStep"] }) {
  return (
    <>
      <ol className="jobs-steps">
        {job.steps.map((step) => (
          <li key={step.number}>
            <button type="button" className="jobs-step" onClick={() => onStep(job.id, step.number)}>
              <Mark state={runState(step)} label={runWord(step)} size={13} />
              <span className="clip" title={step.name}>
                {step.name}
              </span>
              <span className="jobs-time">
                {step.startedAt === undefined ? null : <Span from={step.startedAt} to={step.completedAt} />}
              </span>
            </button>
          </li>
        ))}
      </ol>
      {job.uses === undefined ? null : <p className="jobs-runner clip">calls {job.uses}</p>}
      {job.environmentUrl === undefined ? null : (
        <p className="jobs-runner clip">
          {job.environment} at <code>{job.environmentUrl}</code>
        </p>
      )}
      {job.runner === undefined ? null : <p className="jobs-runner clip">on {job.runner}</p>}
    </>
  );
}
