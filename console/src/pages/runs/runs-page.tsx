/** All runs, newest first. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { RunSummary } from "#api";
import { runsQuery } from "../../data/queries.ts";
import { Empty, Fault, Placeholder } from "../../parts/faults.tsx";
import { matchesSearch, PageHead, SearchField, useTitle } from "../../parts/layout.tsx";
import { Mark } from "../../parts/mark.tsx";
import { runState, runWord } from "../../parts/states.ts";
import { Ago, Span } from "../../parts/time.tsx";
import { shortRef, shortSha } from "../../parts/words.ts";
import { Environments } from "./environments.tsx";
import { Runners } from "./runners.tsx";
import { Schedules } from "./schedules.tsx";
import "./runs.css";

const route = getRouteApi("/runs");

export function RunsPage() {
  useTitle("Runs");
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error } = useQuery(runsQuery);
  return (
    <div className="page">
      <PageHead
        title="Runs"
        below={<span>Workflow runs of all repositories</span>}
        actions={
          <SearchField
            label="Search runs"
            value={q}
            onChange={(value) => void navigate({ search: value === "" ? {} : { q: value }, replace: true })}
          />
        }
      />
      <Environments search={q} />
      <Schedules />
      <Runners />
      {data !== undefined ? (
        <Runs runs={data} search={q} />
      ) : error === null ? (
        <Placeholder rows={8} height={60} />
      ) : (
        <Fault error={error} />
      )}
    </div>
  );
}

function Runs({ runs, search }: { runs: readonly RunSummary[]; search: string }) {
  const found = runs.filter((run) =>
    matchesSearch(
      search,
      run.title,
      run.workflow,
      run.repository,
      run.sha,
      run.ref,
      run.actor,
      run.event,
      runWord(run),
    ),
  );
  if (runs.length === 0) return <Empty title="No workflow has run yet" />;
  if (found.length === 0) return <Empty title={`No run matches “${search}”`} />;
  return (
    <ol className="rows" aria-label="Runs, newest first">
      {found.map((run) => (
        <li key={run.id}>
          <RunRow run={run} />
        </li>
      ))}
    </ol>
  );
}

function RunRow({ run }: { run: RunSummary }) {
  return (
    <Link to="/runs/$id" params={{ id: run.id }} data-row className="rows-row runs-row">
      <Mark state={runState(run)} label={runWord(run)} size={18} />
      <div className="rows-main">
        <span className="rows-title clip" title={run.title}>
          {run.title}
        </span>
        <span className="rows-sub">
          <span className="clip">
            {run.workflow} #{run.number}
            {run.attempt > 1 ? `, attempt ${run.attempt}` : ""}
          </span>
        </span>
      </div>
      <div className="rows-main">
        <span className="clip">{run.repository}</span>
        <span className="rows-sub">
          <code>{shortSha(run.sha)}</code>
          <span className="clip">{shortRef(run.ref)}</span>
        </span>
      </div>
      <div className="rows-main runs-event">
        <span className="clip">{run.event.replaceAll("_", " ")}</span>
        <span className="rows-sub clip">{run.actor}</span>
      </div>
      <div className="rows-main rows-end">
        {run.startedAt === undefined ? <span>{runWord(run)}</span> : <Span from={run.startedAt} to={run.completedAt} />}
        <span className="rows-sub runs-when">
          <Ago at={run.createdAt} />
        </span>
      </div>
    </Link>
  );
}
