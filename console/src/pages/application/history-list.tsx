import type { ApplicationDetail } from "#api";
import { Action } from "../../parts/action.tsx";
import { Empty } from "../../parts/faults.tsx";
import { Ago } from "../../parts/time.tsx";
import { shortSha } from "../../parts/words.ts";

export function HistoryList({ app }: { app: ApplicationDetail }) {
  if (app.history.length === 0) return <Empty title="Nothing has been deployed yet" />;
  const newestFirst = [...app.history].sort((a, b) => b.id - a.id);
  return (
    <>
      {app.automated ? (
        <p className="quiet history-note">
          This application syncs by itself. To go back, put the old state into its repository.
        </p>
      ) : null}
      <ol className="rows" aria-label="Deployed revisions, newest first">
        {newestFirst.map(({ id, revision, deployedAt }, at) => (
          <li key={id}>
            <div className="rows-row history-row">
              <span className="quiet">{id}</span>
              <code title={revision}>{shortSha(revision)}</code>
              <span>
                {at === 0 ? (
                  "runs now"
                ) : app.automated ? null : (
                  <Action
                    label="Roll back"
                    path={`/applications/${app.namespace}/${app.name}/rollback`}
                    body={{ id }}
                    confirm={`${app.name} is synced to ${shortSha(revision)} again.`}
                  />
                )}
              </span>
              <span className="rows-end quiet">
                <Ago at={deployedAt} />
              </span>
            </div>
          </li>
        ))}
      </ol>
    </>
  );
}
