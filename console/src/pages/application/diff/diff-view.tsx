import { useMemo, useState } from "react";
import type { ResourceDiff } from "#api";
import { Badge } from "../../../parts/mark.tsx";
import { plural } from "../../../parts/words.ts";
import { changedRange, diffLines, type DiffLine, type DiffPart, inPairs, withGaps } from "./diff-lines.ts";
import "./diff.css";

const words = {
  none: { state: "done", word: "As in the repository" },
  create: { state: "waiting", word: "Will be created" },
  update: { state: "changed", word: "Will be changed" },
  prune: { state: "failed", word: "No longer in the repository" },
} as const;

export function DiffView({ diff, sideBySide }: { diff: ResourceDiff; sideBySide: boolean }) {
  const parts = useMemo(() => withGaps(diffLines(diff.live, diff.target), 3), [diff.live, diff.target]);
  const { state, word } = words[diff.change];
  return (
    <section className="panel diff">
      <header className="panel-head">
        <h3 className="clip">
          {diff.kind} <span className="quiet">{diff.namespace === "" ? "" : `${diff.namespace}/`}</span>
          {diff.name}
        </h3>
        <Badge state={state}>{word}</Badge>
      </header>
      <div className={sideBySide ? "diff-text diff-two" : "diff-text"}>
        {parts.map((part) => {
          const first = part.lines[0];
          return <Part key={`${first?.live ?? ""}/${first?.target ?? ""}`} part={part} sideBySide={sideBySide} />;
        })}
      </div>
    </section>
  );
}

function Part({ part, sideBySide }: { part: DiffPart; sideBySide: boolean }) {
  const [open, setOpen] = useState(false);
  if (part.kind === "gap" && !open && part.lines.length > 1) {
    return (
      <button type="button" className="diff-gap" onClick={() => setOpen(true)}>
        Show {plural(part.lines.length, "equal line")}
      </button>
    );
  }
  return inPairs(part.lines).map(({ live, target }, at) => {
    const key = `${live?.live ?? ""}/${target?.target ?? ""}/${at}`;
    if (sideBySide) {
      return (
        <div className="diff-pair" key={key}>
          <Line line={live} other={target} side="live" />
          <Line line={target} other={live} side="target" />
        </div>
      );
    }
    if (live === target) return <Line key={key} line={live} other={target} side="live" />;
    return [
      live === undefined ? null : <Line key={`${key}-`} line={live} other={target} side="live" />,
      target === undefined ? null : <Line key={`${key}+`} line={target} other={live} side="target" />,
    ];
  });
}

const signs = { same: " ", drop: "−", add: "+" } as const;

interface LineProps {
  readonly line: DiffLine | undefined;
  readonly other: DiffLine | undefined;
  readonly side: "live" | "target";
}

function Line({ line, other, side }: LineProps) {
  if (line === undefined) return <div className="diff-line diff-none" />;
  const changed = line.kind !== "same" && other !== undefined && other.kind !== "same";
  const { from, to } = changed ? changedRange(line.text, other.text) : { from: 0, to: 0 };
  return (
    <div className={`diff-line diff-${line.kind}`}>
      <span className="diff-number">{line[side]}</span>
      <span className="diff-sign">{signs[line.kind]}</span>
      <span className="diff-words">
        {line.text.slice(0, from)}
        {from < to ? <b>{line.text.slice(from, to)}</b> : null}
        {line.text.slice(to)}
      </span>
    </div>
  );
}
