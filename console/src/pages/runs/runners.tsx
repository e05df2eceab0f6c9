/** Who runs jobs, and what each does. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { RunnerSummary } from "#api";
import { runnersQuery } from "../../data/queries.ts";
import { Badge, type MarkState } from "../../parts/mark.tsx";
import { Ago } from "../../parts/time.tsx";
import { plural } from "../../parts/words.ts";

const marks: Readonly<Record<RunnerSummary["state"], MarkState>> = {
  idle: "done",
  busy: "running",
  offline: "unknown",
};

export function Runners() {
  const { data = [] } = useQuery(runnersQuery);
  if (data.length === 0) return null;
  const count = (state: RunnerSummary["state"]): number => data.filter((runner) => runner.state === state).length;
  const states = (["busy", "idle", "offline"] as const).filter((state) => count(state) > 0);
  return (
    <details className="panel runs-schedules">
      <summary>
        {plural(data.length, "runner")}: {states.map((state) => `${count(state)} ${state}`).join(", ")}
      </summary>
      <ul className="runs-environments" aria-label="Runners">
        {data.map((runner) => (
          <Runner key={runner.id} runner={runner} />
        ))}
      </ul>
    </details>
  );
}

function Runner({ runner }: { runner: RunnerSummary }) {
  const { name, labels, group, state, jobs, ephemeral, lastSeenAt } = runner;
  return (
    <li>
      <span className="runs-environment">
        <strong>{name}</strong> <span className="quiet">{group}</span>
      </span>
      <Badge state={marks[state]}>{state}</Badge>
      {jobs.map(({ id, runId, name: job }) => (
        <Link key={id} to="/runs/$id" params={{ id: runId }} search={{ job: id }}>
          {job}
        </Link>
      ))}
      <span className="quiet">
        {labels.join(", ")}
        {ephemeral ? "; takes one job" : ""}
      </span>
      {state !== "offline" ? null : (
        <span className="quiet">{lastSeenAt === undefined ? "never seen" : <Ago at={lastSeenAt} />}</span>
      )}
    </li>
  );
}
