/** One run: its jobs as a graph, their steps, their logs, and what they found. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import type { JobDetail, RunDetail } from "#api";
import { runQuery } from "../../data/queries.ts";
import { Action } from "../../parts/action.tsx";
import { Empty, Fault, Message, Notice, Placeholder } from "../../parts/faults.tsx";
import { PageHead, useTitle } from "../../parts/layout.tsx";
import { Badge } from "../../parts/mark.tsx";
import { runState, runWord } from "../../parts/states.ts";
import { Ago, Span } from "../../parts/time.tsx";
import { plural, shortRef, shortSha } from "../../parts/words.ts";
import { ActionSources } from "./action-sources.tsx";
import { Annotations } from "./annotations.tsx";
import { Artifacts } from "./artifacts.tsx";
import { chosenJob } from "./chosen-job.ts";
import { JobGraph } from "./job-graph.tsx";
import { JobList } from "./job-list.tsx";
import { Coverage, Findings } from "./reports.tsx";
import { Reviews } from "./reviews/reviews.tsx";
import { LogView } from "./log/log-view.tsx";
import { Summaries } from "./summary/summaries.tsx";
import "./run.css";

const route = getRouteApi("/runs/$id");

export function RunPage() {
  const { id } = route.useParams();
  const { data, error } = useQuery(runQuery(id));
  useTitle(data === undefined ? "Run" : `${runWord(data)}: ${data.title}`);
  if (data !== undefined) return <Run run={data} />;
  return error === null ? <Placeholder rows={5} height={100} /> : <Fault error={error} />;
}

function Run({ run }: { run: RunDetail }) {
  const { job: asked } = route.useSearch();
  const navigate = route.useNavigate();
  const [goal, setGoal] = useState<{ readonly job: string; readonly step: number }>();
  const job = chosenJob(run.jobs, asked);
  const choose = useCallback(
    (id: string) => void navigate({ search: { job: id }, replace: true, resetScroll: false, hash: "" }),
    [navigate],
  );
  function chooseStep(id: string, step: number): void {
    if (id !== job?.id) choose(id);
    setGoal({ job: id, step });
  }
  return (
    <div className="page">
      <RunHead run={run} />
      <RunMessage run={run} />
      <Reviews run={run} />
      <Problems run={run} />
      {run.jobs.length > 1 ? (
        <section className="panel" aria-label="Jobs and what they wait for">
          <JobGraph jobs={run.jobs} selected={job?.id} onSelect={choose} />
        </section>
      ) : null}
      <Annotations jobs={run.jobs} />
      <Summaries jobs={run.jobs} />
      <Findings run={run.id} />
      <Coverage run={run.id} />
      <Artifacts run={run.id} />
      {job === undefined ? (
        <NoJobs run={run} />
      ) : (
        <div className="run-work">
          <JobList jobs={run.jobs} selected={job.id} onSelect={choose} onStep={chooseStep} />
          <div className="run-log">
            <JobMessage job={job} />
            <ActionSources job={job} />
            <LogView key={job.id} job={job} goal={goal?.job === job.id ? goal : undefined} />
          </div>
        </div>
      )}
    </div>
  );
}

function RunHead({ run }: { run: RunDetail }) {
  const path = `/runs/${encodeURIComponent(run.id)}`;
  return (
    <PageHead
      above={
        <>
          <Link to="/runs">Runs</Link> / {run.repository} / {run.workflow} #{run.number}
          {run.attempt > 1 ? `, attempt ${run.attempt}` : ""}
        </>
      }
      title={run.title}
      below={
        <>
          <Badge state={runState(run)}>{runWord(run)}</Badge>
          {run.startedAt === undefined ? null : <Span from={run.startedAt} to={run.completedAt} />}
          <span>
            {run.event.replaceAll("_", " ")} by {run.actor}
          </span>
          <span>
            <code>{shortSha(run.sha)}</code> on {shortRef(run.ref)}
          </span>
          <code>{run.path}</code>
          <Ago at={run.createdAt} />
          {run.jobs.some(({ steps }) => steps.length > 0) ? (
            <a href={`/api/tidegate/v1${path}/logs`} download>
              Logs as an archive
            </a>
          ) : null}
        </>
      }
      actions={
        run.status === "completed" ? (
          <>
            {run.conclusion === "failure" && run.jobs.length > 0 ? (
              <Action label="Re-run failed jobs" path={`${path}/rerun`} body={{ failedOnly: true }} tone="main" />
            ) : null}
            {isBroken(run) ? null : <Action label="Re-run all jobs" path={`${path}/rerun`} />}
          </>
        ) : (
          <Action
            label="Cancel run"
            path={`${path}/cancel`}
            tone="danger"
            confirm="Jobs that run are stopped, jobs that wait do not start. What a job has pushed or deployed already stays."
          />
        )
      }
    />
  );
}

/** Whether its file could not be run; warnings alone keep nothing from running. */
function isBroken({ problems }: RunDetail): boolean {
  return problems.some(({ severity }) => severity !== "warning");
}

/** Why a run waits or ended without running. */
function RunMessage({ run }: { run: RunDetail }) {
  // What waits for an environment is told by the reviews, with what can be done about it.
  if (run.message === undefined || run.held !== undefined) return null;
  return (
    <Notice tone="plain">
      <Message text={run.message} />
    </Notice>
  );
}

function Problems({ run }: { run: RunDetail }) {
  if (run.problems.length === 0) return null;
  const broken = isBroken(run);
  const list = (
    <ul className="run-problems">
      {run.problems.map(({ path, message, at }) => {
        const place = [at?.file ?? run.path, at?.line, at?.column].filter((part) => part !== undefined).join(":");
        return (
          <li key={`${place} ${path} ${message}`}>
            <code className="place">{place}</code>
            {path === "" ? null : <code>{path}</code>}
            <Message text={message} />
          </li>
        );
      })}
    </ul>
  );
  if (broken) {
    const title = `${run.path} cannot be run: ${plural(run.problems.length, "problem")}`;
    return (
      <Notice tone="bad" title={title}>
        {list}
      </Notice>
    );
  }
  // The same from run to run, and no reason to look away from the jobs.
  return (
    <details className="run-warnings">
      <summary>{`${plural(run.problems.length, "warning")} about ${run.path}`}</summary>
      {list}
    </details>
  );
}

function NoJobs({ run }: { run: RunDetail }) {
  if (isBroken(run)) return null;
  return <Empty title={run.status === "completed" ? "This run had no jobs" : "The jobs are being planned"} />;
}

/** Why a job waits or ended, where its log cannot say it. */
function JobMessage({ job }: { job: JobDetail }) {
  if (job.message === undefined || job.message === "") return null;
  return (
    <Notice tone={job.conclusion === "failure" ? "bad" : "plain"}>
      <Message text={job.message} />
    </Notice>
  );
}
