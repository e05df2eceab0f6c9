/** The log of a job: folded, searched, followed, and linked to by line. */
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { JobDetail } from "#api";
import { LogStream } from "../../../data/log-stream.ts";
import { VirtualList, type VirtualListHandle } from "../../../parts/virtual-list.tsx";
import { firstError, type Folds, type LogRow, noFolds, revealed, visibleRows } from "./log-rows.ts";
import { type LogMatch, searchLog } from "./log-search.ts";
import { LogRowView } from "./log-row-view.tsx";
import { LogTools } from "./log-tools.tsx";
import { lineHash, parseLineHash } from "./line-hash.ts";
import "./log.css";

const rowHeight = 21;
/** Until here a log of a good job is shown whole. */
const shortLog = 600;

interface LogViewProps {
  readonly job: JobDetail;
  /** Set anew each time a step is asked for. */
  readonly goal: { readonly step: number } | undefined;
}

export function LogView({ job, goal }: LogViewProps) {
  const stream = useMemo(() => new LogStream(job.id), [job.id]);
  const state = useSyncExternalStore(stream.subscribe, stream.getState);
  const list = useRef<VirtualListHandle>(null);
  const [folds, setFolds] = useState<Folds>(noFolds);
  const [search, setSearch] = useState("");
  const [at, setAt] = useState(0);
  const [times, setTimes] = useState(false);
  const [following, setFollowing] = useState(job.status !== "completed");
  const [marked, setMarked] = useState(() => parseLineHash(location.hash));
  /** A row to go to as soon as it is there. */
  const [wanted, setWanted] = useState<LogMatch | undefined>(marked);

  const steps = useMemo(() => foldSteps(job, stream, state.lineCount), [job, stream, state.version]);
  const rows = useMemo(() => visibleRows({ steps, folds }), [steps, folds]);
  const matches = useMemo(() => searchLog(steps, search), [steps, search]);
  const current = matches[Math.min(at, matches.length - 1)];

  useEffect(() => {
    if (wanted === undefined || stream.linesOf(wanted.step)[wanted.index] === undefined) return;
    const row = rows.findIndex((candidate) => isLine(candidate, wanted));
    if (row < 0) {
      setFolds((old) => revealed(old, wanted.step, stream.linesOf(wanted.step), wanted.index));
      return;
    }
    setFollowing(false);
    setWanted(undefined);
    list.current?.reveal(row);
  }, [wanted, rows, stream]);

  // Who opens a failed job wants to see why, unless the link says what.
  const ended = state.phase === "ended";
  useEffect(() => {
    if (ended && job.conclusion === "failure" && marked === undefined) setWanted(firstError(steps));
  }, [ended]);

  useEffect(() => {
    if (goal === undefined) return;
    setFollowing(false);
    setFolds((old) => ({ ...old, steps: new Map(old.steps).set(goal.step, true) }));
    const row = rows.findIndex((candidate) => candidate.kind === "step" && candidate.step === goal.step);
    // Opening a step does not move its heading.
    if (row >= 0) requestAnimationFrame(() => list.current?.toStart(row));
  }, [goal]);

  function go(next: number): void {
    if (matches.length === 0) return;
    const index = (next + matches.length) % matches.length;
    setAt(index);
    setWanted(matches[index]);
  }
  function find(text: string): void {
    setSearch(text);
    setAt(0);
    setWanted(searchLog(steps, text)[0]);
  }
  function toggle(row: LogRow): void {
    setFollowing(false);
    setFolds((old) => toggled(old, row));
  }
  function mark(line: LogMatch): void {
    setMarked(line);
    history.replaceState(history.state, "", `${location.pathname}${location.search}${lineHash(line)}`);
  }

  return (
    <section className="log panel" aria-label={`Log of ${job.name}`}>
      <LogTools
        job={job}
        stream={stream}
        state={state}
        search={search}
        onSearch={find}
        found={{ at: Math.min(at, matches.length - 1), count: matches.length }}
        onGo={(step) => go(at + step)}
        times={times}
        onTimes={setTimes}
        following={following}
        onFollow={setFollowing}
      />
      <div className="log-body">
        <VirtualList
          ref={list}
          count={rows.length}
          rowHeight={rowHeight}
          label={`Lines of ${job.name}`}
          following={following && state.phase !== "ended"}
          onFollow={setFollowing}
          renderRow={(index) => {
            const row = rows[index];
            if (row === undefined) return null;
            return (
              <LogRowView
                key={row.kind === "step" ? `${row.step}` : `${row.step}:${row.index}`}
                row={row}
                line={row.kind === "step" ? undefined : stream.linesOf(row.step)[row.index]}
                step={row.kind === "step" ? job.steps.find(({ number }) => number === row.step) : undefined}
                search={search}
                tone={isLine(row, current) ? "current" : isLine(row, marked) ? "marked" : "plain"}
                times={times}
                onToggle={toggle}
                onMark={mark}
              />
            );
          }}
        />
      </div>
    </section>
  );
}

function isLine(row: LogRow, line: LogMatch | undefined): boolean {
  return line !== undefined && row.kind !== "step" && row.step === line.step && row.index === line.index;
}

/** All steps, those whose lines came before the run named them too. A failed or running job opens what matters. */
function foldSteps(job: JobDetail, stream: LogStream, lineCount: number) {
  const known = new Set(job.steps.map(({ number }) => number));
  const unknown = stream.stepNumbers().filter((number) => !known.has(number));
  const short = lineCount <= shortLog;
  const failed = job.conclusion === "failure" && job.steps.some((step) => step.conclusion === "failure");
  const named = job.steps.map(({ number, status, conclusion }) => ({
    number,
    open: failed ? conclusion === "failure" : short || status === "in_progress",
    lines: stream.linesOf(number),
  }));
  const others = unknown.map((number) => ({ number, open: true, lines: stream.linesOf(number) }));
  return [...named, ...others].sort((a, b) => a.number - b.number);
}

function toggled(folds: Folds, row: LogRow): Folds {
  if (row.kind === "step") return { ...folds, steps: new Map(folds.steps).set(row.step, !row.open) };
  if (row.kind !== "group") return folds;
  return { ...folds, groups: new Map(folds.groups).set(`${row.step}:${row.index}`, !row.open) };
}
