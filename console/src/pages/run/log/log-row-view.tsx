import { type CSSProperties, memo } from "react";
import type { RunLogLine, StepDetail } from "#api";
import { Mark } from "../../../parts/mark.tsx";
import { runState, runWord } from "../../../parts/states.ts";
import { ClockTime, Span } from "../../../parts/time.tsx";
import { type AnsiSpan, parseAnsi } from "./ansi.ts";
import { lineHash } from "./line-hash.ts";
import { lineContent, type LogRow } from "./log-rows.ts";
import { type LogMatch, markSpans } from "./log-search.ts";

interface LogRowViewProps {
  readonly row: LogRow;
  readonly line: RunLogLine | undefined;
  readonly step: StepDetail | undefined;
  readonly search: string;
  readonly tone: "plain" | "marked" | "current";
  readonly times: boolean;
  readonly onToggle: (row: LogRow) => void;
  readonly onMark: (line: LogMatch) => void;
}

/** A browser lays out a longer line too slowly; the download has it whole. */
const maxLineLength = 4000;

export const LogRowView = memo(function LogRowView(props: LogRowViewProps) {
  const { row, line, onToggle } = props;
  if (row.kind === "step") return <StepRow {...props} />;
  if (line === undefined) return null;
  const { level, text } = lineContent(line.text);
  const content = (
    <span className="log-text">
      <LineText text={text} search={props.search} />
    </span>
  );
  return (
    <div className={`log-row log-${level} log-tone-${props.tone}`}>
      <a
        className="log-number"
        href={lineHash(row)}
        aria-label={`Link to line ${row.index + 1}`}
        onClick={(event) => {
          event.preventDefault();
          props.onMark(row);
        }}
      >
        {row.index + 1}
      </a>
      {props.times ? (
        <span className="log-time">
          <ClockTime at={line.time} />
        </span>
      ) : null}
      <span className="log-indent" style={{ width: row.depth * 16 }} />
      {row.kind === "group" ? (
        <button type="button" className="log-fold" aria-expanded={row.open} onClick={() => onToggle(row)}>
          <Chevron open={row.open} />
          {content}
        </button>
      ) : (
        content
      )}
    </div>
  );
}, sameRow);

/** Rows are made anew with every fold; what they say is what counts. */
function sameRow(before: LogRowViewProps, after: LogRowViewProps): boolean {
  const [a, b] = [before.row, after.row];
  if (a.kind === "line" ? b.kind !== "line" || a.depth !== b.depth : a !== b) return false;
  return (
    before.line === after.line &&
    before.step === after.step &&
    before.search === after.search &&
    before.tone === after.tone &&
    before.times === after.times
  );
}

function StepRow({ row, step, onToggle }: LogRowViewProps) {
  if (row.kind !== "step") return null;
  return (
    <div className="log-row log-step">
      <button type="button" aria-expanded={row.open} onClick={() => onToggle(row)}>
        <Chevron open={row.open} />
        {step === undefined ? null : <Mark state={runState(step)} label={runWord(step)} size={14} />}
        <span>{step?.name ?? (row.step === 0 ? "Set up job" : `Step ${row.step}`)}</span>
        <span className="log-step-end">
          {step?.startedAt === undefined ? null : <Span from={step.startedAt} to={step.completedAt} />}
        </span>
      </button>
    </div>
  );
}

function Chevron({ open }: { open: boolean }) {
  return (
    <svg className="log-chevron" width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
      <path d={open ? "m2.5 4.5 3.5 3.5 3.5-3.5" : "m4.5 2.5 3.5 3.5-3.5 3.5"} />
    </svg>
  );
}

function LineText({ text, search }: { text: string; search: string }) {
  const shown = text.length > maxLineLength ? text.slice(0, maxLineLength) : text;
  const spans = markSpans(parseAnsi(shown), search);
  return (
    <>
      {spans.map((span, index) => {
        const style = styleOf(span);
        const Tag = span.marked ? "mark" : "span";
        return (
          <Tag key={index} {...(style === undefined ? {} : { style })}>
            {span.text}
          </Tag>
        );
      })}
      {text.length > maxLineLength ? (
        <span className="log-more"> … {text.length - maxLineLength} more characters in the download</span>
      ) : null}
    </>
  );
}

function styleOf(span: AnsiSpan): CSSProperties | undefined {
  const { fg, bg, bold, dim, italic, underline } = span;
  if (fg === undefined && bg === undefined && !bold && !dim && !italic && !underline) return undefined;
  return {
    ...(fg === undefined ? {} : { color: colourOf(fg) }),
    ...(bg === undefined
      ? {}
      : { backgroundColor: colourOf(bg), ...(fg === undefined ? { color: "var(--surface)" } : {}) }),
    ...(bold ? { fontWeight: 700 } : {}),
    ...(dim ? { opacity: 0.7 } : {}),
    ...(italic ? { fontStyle: "italic" } : {}),
    ...(underline ? { textDecoration: "underline" } : {}),
  };
}

function colourOf(colour: string): string {
  return /^\d+$/.test(colour) ? `var(--ansi-${colour})` : colour;
}
