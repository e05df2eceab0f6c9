import { useMemo } from "react";
import type { JobDetail } from "#api";
import { type GraphBox, type GraphLine, GraphView } from "../../parts/graph/graph-view.tsx";
import { placeInLayers } from "../../parts/graph/layers.ts";
import { Mark } from "../../parts/mark.tsx";
import { runState, runWord } from "../../parts/states.ts";
import { Span } from "../../parts/time.tsx";
import { lastOf } from "./called-jobs.ts";

const size = { width: 264, height: 44 };

interface JobGraphProps {
  readonly jobs: readonly JobDetail[];
  readonly selected: string | undefined;
  readonly onSelect: (id: string) => void;
}

export function JobGraph({ jobs, selected, onSelect }: JobGraphProps) {
  const { boxes, lines } = useMemo(() => pictureOf(jobs), [jobs]);
  return (
    <GraphView label="Job graph" boxes={boxes} lines={lines} size={size} selected={selected} onSelect={onSelect} />
  );
}

/** `needs` names keys; a job with a matrix is several jobs of one key, and all of them are waited for. */
function pictureOf(jobs: readonly JobDetail[]): { boxes: GraphBox[]; lines: GraphLine[] } {
  const idsOf = Map.groupBy(jobs, ({ key }) => key);
  const linked = jobs.map(({ id, needs, parentId }) => {
    const after = needs.flatMap((key) => (idsOf.get(key) ?? []).flatMap((job) => lastOf(job, jobs)));
    // The first jobs of a called workflow come after the job that calls it.
    return { id, after: after.length === 0 && parentId !== undefined ? [parentId] : after };
  });
  const placed = new Map(placeInLayers(linked).map((place) => [place.id, place]));
  const boxes = jobs.map((job) => ({
    ...(placed.get(job.id) ?? { id: job.id, column: 0, row: 0 }),
    label: `${job.name}: ${runWord(job)}`,
    content: <JobBox job={job} />,
  }));
  const lines = linked.flatMap(({ id, after }) => after.map((from) => ({ from, to: id })));
  return { boxes, lines };
}

function JobBox({ job }: { job: JobDetail }) {
  return (
    <span className="graph-line">
      <Mark state={runState(job)} />
      <span className="graph-name clip" title={job.name}>
        {job.name}
      </span>
      <span className="graph-sub">
        {job.startedAt === undefined ? "" : <Span from={job.startedAt} to={job.completedAt} />}
      </span>
    </span>
  );
}
