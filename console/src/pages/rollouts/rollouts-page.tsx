/** All rollouts: how far each is, and how much traffic its newest revision has. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { RolloutSummary } from "#api";
import { rolloutsQuery } from "../../data/queries.ts";
import { Empty, Fault, Placeholder } from "../../parts/faults.tsx";
import { matchesSearch, PageHead, SearchField, useTitle } from "../../parts/layout.tsx";
import { Badge } from "../../parts/mark.tsx";
import { Share } from "../../parts/share.tsx";
import { phaseState } from "../../parts/states.ts";
import { shortImage } from "../../parts/words.ts";
import "./rollouts.css";

const route = getRouteApi("/rollouts");

export function RolloutsPage() {
  useTitle("Rollouts");
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error } = useQuery(rolloutsQuery);
  return (
    <div className="page">
      <PageHead
        title="Rollouts"
        below={<span>Releases on their way to all of the traffic</span>}
        actions={
          <SearchField
            label="Search rollouts"
            value={q}
            onChange={(value) => void navigate({ search: value === "" ? {} : { q: value }, replace: true })}
          />
        }
      />
      {data !== undefined ? (
        <Rollouts rollouts={data} search={q} />
      ) : error === null ? (
        <Placeholder rows={4} height={60} />
      ) : (
        <Fault error={error} />
      )}
    </div>
  );
}

function Rollouts({ rollouts, search }: { rollouts: readonly RolloutSummary[]; search: string }) {
  if (rollouts.length === 0) {
    return (
      <Empty title="There is no rollout yet">
        <p>A Rollout is a Deployment that takes traffic in steps and goes back by itself when an analysis says so.</p>
      </Empty>
    );
  }
  const found = rollouts.filter((rollout) => matchesSearch(search, rollout.name, rollout.namespace, rollout.phase));
  if (found.length === 0) return <Empty title={`No rollout matches “${search}”`} />;
  return (
    <ol className="rows" aria-label="Rollouts">
      {found.map((rollout) => (
        <li key={`${rollout.namespace}/${rollout.name}`}>
          <RolloutRow rollout={rollout} />
        </li>
      ))}
    </ol>
  );
}

function RolloutRow({ rollout }: { rollout: RolloutSummary }) {
  const { namespace, name, phase, message, stepIndex, stepCount, actualWeight, ready, desired, images } = rollout;
  const done = stepIndex >= stepCount;
  return (
    <Link to="/rollouts/$namespace/$name" params={{ namespace, name }} data-row className="rows-row rollouts-row">
      <div className="rows-main">
        <span className="rows-title clip">{name}</span>
        <span className="rows-sub clip">in {namespace}</span>
      </div>
      <Badge state={phaseState(phase)}>{phase}</Badge>
      <div className="rows-main">
        <span>{done ? "All steps done" : `Step ${stepIndex + 1} of ${stepCount}`}</span>
        <span className="rows-sub clip" title={message}>
          {message}
        </span>
      </div>
      <Share weight={actualWeight} canary={!done} of={name} />
      <span className="rollouts-pods">
        {ready} of {desired} ready
      </span>
      <span className="clip rollouts-images" title={images.map(({ image }) => image).join("\n")}>
        {images.map(({ image }) => shortImage(image)).join(", ")}
      </span>
    </Link>
  );
}
