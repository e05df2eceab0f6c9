import type { ActionUse, JobDetail } from "#api";
import { plural, shortSha } from "../../parts/words.ts";

/** Where the actions of a job came from, each with its commit. */
export function ActionSources({ job }: { job: JobDetail }) {
  const { actions = [] } = job;
  if (actions.length === 0) return null;
  return (
    <details className="action-sources">
      <summary className="quiet">{plural(actions.length, "action")} of others</summary>
      <ul>
        {actions.map((action) => (
          <li key={action.uses}>
            <code>{action.uses}</code> <span className="quiet">{placeOf(action)}</span>
            {action.sha === undefined ? null : <code className="place"> {shortSha(action.sha)}</code>}
          </li>
        ))}
      </ul>
    </details>
  );
}

function placeOf({ source, host, repository }: ActionUse): string {
  if (source === "built-in") return "built in";
  return source === "local" ? `${repository ?? ""} here` : `${host ?? ""}/${repository ?? ""}`;
}
