import { useQuery } from "@tanstack/react-query";
import { artifactsQuery } from "../../data/queries.ts";
import { Ago } from "../../parts/time.tsx";
import { fileSize } from "../../parts/words.ts";

/** What the jobs have kept, to be downloaded. Nothing is shown while there is nothing. */
export function Artifacts({ run }: { run: string }) {
  const { data = [] } = useQuery(artifactsQuery(run));
  if (data.length === 0) return null;
  return (
    <section className="panel" aria-label="Artifacts">
      <ul className="artifacts">
        {data.map(({ id, name, sizeInBytes, digest, createdAt, expiresAt }) => (
          <li key={id}>
            <a href={`/api/tidegate/v1/artifacts/${id}/download`} download>
              {name}
            </a>
            <span className="quiet">{fileSize(sizeInBytes)}</span>
            {digest === null ? null : <code title={digest}>{digest.slice(0, 19)}</code>}
            <span className="quiet">
              <Ago at={createdAt} />, kept until {expiresAt.slice(0, 10)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
