import type { ApplicationDetail } from "#api";
import { Empty } from "../../parts/faults.tsx";
import { Ago } from "../../parts/time.tsx";
import { shortSha } from "../../parts/words.ts";

export function HistoryList({ app }: { app: ApplicationDetail }) {
  if (app.history.length === 0) return <Empty title="Nothing has been deployed yet" />;
  const newestFirst = [...app.history].sort((a, b) => b.id - a.id);
  return (
    <ol className="rows history" aria-label="Deployed revisions, newest first">
      {newestFirst.map(({ id, revision, deployedAt }, at) => (
        <li key={id}>
          <div className="rows-row history-row">
            <span className="quiet">{id}</span>
            <code title={revision}>{shortSha(revision)}</code>
            <span>{at === 0 ? "runs now" : ""}</span>
            <span className="rows-end quiet">
              <Ago at={deployedAt} />
            </span>
          </div>
        </li>
      ))}
    </ol>
  );
}
