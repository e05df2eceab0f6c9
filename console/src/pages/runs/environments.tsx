/** What runs deploy to: which commit is there, and what became of the newest deployment. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { DeploymentState, DeploymentSummary, EnvironmentSummary } from "#api";
import { environmentsQuery } from "../../data/queries.ts";
import { matchesSearch } from "../../parts/layout.tsx";
import { Badge, type MarkState } from "../../parts/mark.tsx";
import { Ago } from "../../parts/time.tsx";
import { plural, shortRef, shortSha } from "../../parts/words.ts";

export function Environments({ search }: { search: string }) {
  const { data = [] } = useQuery(environmentsQuery);
  const found = data.filter(({ repository, name }) => matchesSearch(search, repository, name));
  if (found.length === 0) return null;
  const waiting = found.filter(({ latest }) => latest?.state === "waiting").length;
  return (
    <details className="panel runs-schedules">
      <summary>
        {plural(found.length, "environment")}
        {waiting === 0 ? "" : `; ${plural(waiting, "deployment waits", "deployments wait")} for a review or a timer`}
      </summary>
      <ul className="runs-environments" aria-label="Environments">
        {found.map((one) => (
          <Environment key={one.id} environment={one} />
        ))}
      </ul>
    </details>
  );
}

function Environment({ environment }: { environment: EnvironmentSummary }) {
  const { repository, name, latest, active } = environment;
  return (
    <li>
      <span className="runs-environment">
        <strong>{name}</strong> <span className="quiet">{repository}</span>
      </span>
      {latest === undefined ? (
        <span className="quiet">nothing deployed yet</span>
      ) : (
        <>
          <Badge state={states[latest.state].mark}>{states[latest.state].word}</Badge>
          <Deployed deployment={latest} />
        </>
      )}
      {active === undefined || active.id === latest?.id ? null : (
        <span className="quiet">
          active is <Deployed deployment={active} />
        </span>
      )}
    </li>
  );
}

const states: Readonly<Record<DeploymentState, { readonly mark: MarkState; readonly word: string }>> = {
  waiting: { mark: "paused", word: "Waiting" },
  pending: { mark: "waiting", word: "Pending" },
  queued: { mark: "waiting", word: "Queued" },
  in_progress: { mark: "running", word: "Deploying" },
  success: { mark: "done", word: "Active" },
  failure: { mark: "failed", word: "Failed" },
  error: { mark: "failed", word: "Stopped" },
  inactive: { mark: "skipped", word: "Inactive" },
};

function Deployed({ deployment }: { deployment: DeploymentSummary }) {
  const { sha, ref, runId, jobId, creator, updatedAt, environmentUrl } = deployment;
  const commit = <code>{shortSha(sha)}</code>;
  return (
    <span>
      {runId === undefined ? (
        commit
      ) : (
        <Link to="/runs/$id" params={{ id: runId }} search={jobId === undefined ? {} : { job: jobId }}>
          {commit}
        </Link>
      )}{" "}
      of {shortRef(ref)} by {creator}, <Ago at={updatedAt} />
      {environmentUrl === undefined ? null : (
        <>
          , at <code>{environmentUrl}</code>
        </>
      )}
    </span>
  );
}
