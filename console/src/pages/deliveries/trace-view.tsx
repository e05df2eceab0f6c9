/** All that followed from one commit, with lines from cause to effect. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { DeliveryView, RecordedEvent, TimelineKind } from "#api";
import { traceQuery } from "../../data/queries.ts";
import { durationText } from "../../parts/duration.ts";
import { Fault, Placeholder } from "../../parts/faults.tsx";
import { ClockTime } from "../../parts/time.tsx";
import { shortSubject } from "../../parts/words.ts";
import { type Arc, arcsOf } from "./arcs.ts";

const rowHeight = 30;
const laneWidth = 9;
const lanes = 4;
const railX = 12;

const kindWords: Readonly<Record<TimelineKind, string>> = {
  push: "Push",
  "run-started": "Run",
  "run-completed": "Run",
  "image-pushed": "Image",
  "environment-commit": "Environment",
  "sync-started": "Sync",
  "sync-completed": "Sync",
  "rollout-started": "Rollout",
  "rollout-step": "Traffic",
  "rollout-promoted": "Promoted",
  "rollout-aborted": "Aborted",
  "rollout-restored": "Restored",
  "analysis-completed": "Analysis",
  approval: "Approval",
  action: "Action",
};

export function TraceView({ delivery }: { delivery: DeliveryView }) {
  const { data, error } = useQuery(traceQuery(delivery.id));
  if (data === undefined) {
    return (
      <div className="trace">
        {error === null ? <Placeholder rows={4} height={rowHeight} /> : <Fault error={error} />}
      </div>
    );
  }
  return (
    <div className="trace">
      <Events events={data.events} pushedAt={delivery.pushedAt} />
    </div>
  );
}

function Events({ events, pushedAt }: { events: readonly RecordedEvent[]; pushedAt: string }) {
  const arcs = useMemo(() => arcsOf(events, lanes), [events]);
  const titles = useMemo(() => new Map(events.map(({ id, title }) => [id, title])), [events]);
  return (
    <div className="trace-list">
      <Rail arcs={arcs} events={events} />
      <ol aria-label="What happened, oldest first">
        {events.map((event) => (
          <li key={event.id} style={{ height: rowHeight }}>
            <span className="trace-offset">+{durationText(Date.parse(event.at) - Date.parse(pushedAt))}</span>
            <span className="trace-kind">{kindWords[event.kind]}</span>
            <span className="trace-title clip" title={event.title}>
              {event.title}
              <span className="hidden-text">{causesText(event, titles)}</span>
            </span>
            <span className="trace-subject clip" title={event.subject}>
              {event.actor === undefined ? "" : `${event.actor}, `}
              {shortSubject(event.subject)}
            </span>
            <span className="trace-at">
              <ClockTime at={event.at} />
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function causesText(event: RecordedEvent, titles: ReadonlyMap<string, string>): string {
  const known = event.causes.flatMap((cause) => titles.get(cause) ?? []);
  return known.length === 0 ? "" : `, because of ${known.join(" and ")}`;
}

function Rail({ arcs, events }: { arcs: readonly Arc[]; events: readonly RecordedEvent[] }) {
  const width = railX + lanes * laneWidth + 8;
  const x = width - railX;
  return (
    <svg className="trace-rail" width={width} height={events.length * rowHeight} aria-hidden="true">
      {arcs.map((arc) => (
        <path key={`${arc.from}-${arc.to}`} d={arcPath(arc, x)} />
      ))}
      {events.map((event, row) => (
        <circle key={event.id} cx={x} cy={centre(row)} r="4.5" className={`trace-dot-${event.tone}`} />
      ))}
    </svg>
  );
}

function centre(row: number): number {
  return row * rowHeight + rowHeight / 2;
}

/** Out of the rail to the lane, along it, and back with a rounded corner. */
function arcPath({ from, to, lane }: Arc, x: number): string {
  const start = centre(from);
  const end = centre(to);
  if (lane === 0) return `M${x} ${start}V${end}`;
  const side = x - 6 - lane * laneWidth;
  const bend = 7 * Math.sign(end - start);
  return `M${x} ${start}H${side + 7}Q${side} ${start} ${side} ${start + bend}V${end - bend}Q${side} ${end} ${side + 7} ${end}H${x}`;
}
