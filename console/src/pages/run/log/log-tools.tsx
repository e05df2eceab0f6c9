import type { KeyboardEvent } from "react";
import type { JobDetail } from "#api";
import type { LogState, LogStream } from "../../../data/log-stream.ts";
import { plainText } from "./ansi.ts";
import { maxMatches } from "./log-search.ts";

interface LogToolsProps {
  readonly job: JobDetail;
  readonly stream: LogStream;
  readonly state: LogState;
  readonly search: string;
  readonly onSearch: (text: string) => void;
  readonly found: { readonly at: number; readonly count: number };
  readonly onGo: (step: 1 | -1) => void;
  readonly times: boolean;
  readonly onTimes: (times: boolean) => void;
  readonly following: boolean;
  readonly onFollow: (following: boolean) => void;
}

export function LogTools(props: LogToolsProps) {
  const { job, stream, state, search, found, times, following } = props;
  function onKey(event: KeyboardEvent): void {
    if (event.key === "Enter") props.onGo(event.shiftKey ? -1 : 1);
    if (event.key === "Escape" && search !== "") {
      props.onSearch("");
      event.stopPropagation();
    }
  }
  return (
    <header className="panel-head log-tools">
      <h2 className="clip">{job.name}</h2>
      <span className="log-state">{stateText(state)}</span>
      <div className="log-search">
        <input
          className="field"
          type="search"
          data-search
          aria-label="Search this log"
          placeholder="Search this log  /"
          value={search}
          onChange={(event) => props.onSearch(event.target.value)}
          onKeyDown={onKey}
        />
        <span className="log-found" role="status">
          {search === "" ? "" : foundText(found)}
        </span>
        <button
          type="button"
          className="button button-bare button-small"
          aria-label="Previous find"
          disabled={found.count === 0}
          onClick={() => props.onGo(-1)}
        >
          ↑
        </button>
        <button
          type="button"
          className="button button-bare button-small"
          aria-label="Next find"
          disabled={found.count === 0}
          onClick={() => props.onGo(1)}
        >
          ↓
        </button>
      </div>
      <div className="buttons">
        {state.phase === "ended" ? null : (
          <button
            type="button"
            className="button button-small"
            aria-pressed={following}
            onClick={() => props.onFollow(!following)}
          >
            Follow
          </button>
        )}
        <button
          type="button"
          className="button button-small"
          aria-pressed={times}
          onClick={() => props.onTimes(!times)}
        >
          Times
        </button>
        <button
          type="button"
          className="button button-small"
          disabled={state.lineCount === 0}
          onClick={() => download(job, stream)}
        >
          Download
        </button>
      </div>
    </header>
  );
}

function foundText({ at, count }: { at: number; count: number }): string {
  if (count === 0) return "no match";
  return `${at + 1} of ${count >= maxMatches ? `${maxMatches}+` : count}`;
}

function stateText({ phase, lineCount, cut }: LogState): string {
  if (phase === "loading") return "";
  const lines = `${lineCount.toLocaleString("en")} ${lineCount === 1 ? "line" : "lines"}`;
  if (cut) return `first ${lines}`;
  return phase === "lost" ? `${lines}, reconnecting` : lines;
}

function download(job: JobDetail, stream: LogStream): void {
  const text = stream
    .stepNumbers()
    .flatMap((step) => stream.linesOf(step).map((line) => `${line.time} ${plainText(line.text)}\n`));
  const url = URL.createObjectURL(new Blob(text, { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${job.key}.log`;
  link.click();
  URL.revokeObjectURL(url);
}
