import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { CodeFinding, FileCoverage } from "#api";
import { coverageQuery, findingsQuery } from "../../data/queries.ts";
import { Mark } from "../../parts/mark.tsx";
import { plural, share } from "../../parts/words.ts";

const firstFiles = 8;
const firstFindings = 20;

/** How much of the code the tests have run, least covered first. Nothing is shown while there is nothing. */
export function Coverage({ run }: { run: string }) {
  const { data } = useQuery(coverageQuery(run));
  const [all, setAll] = useState(false);
  if (data === undefined || data.uploads.length === 0) return null;
  const { files } = data;
  return (
    <section className="panel" aria-label="Coverage">
      <h2 className="report-head">
        Coverage {share(data.covered, data.lines)}
        <span className="quiet">
          {data.covered} of {data.lines} lines, {plural(files.length, "file")}
        </span>
      </h2>
      <ul className="report">
        {(all ? files : files.slice(0, firstFiles)).map((file) => (
          <CoverageLine key={file.path} file={file} />
        ))}
      </ul>
      <More count={files.length - firstFiles} all={all} onAll={() => setAll(true)} />
    </section>
  );
}

function CoverageLine({ file: { path, covered, lines } }: { file: FileCoverage }) {
  return (
    <li>
      <code>{path}</code>
      <meter min={0} max={Math.max(lines, 1)} value={covered} aria-label={`Covered lines of ${path}`} />
      <span>{share(covered, lines)}</span>
      <span className="quiet">
        {covered}/{lines}
      </span>
    </li>
  );
}

/** What scanners have found, errors first. */
export function Findings({ run }: { run: string }) {
  const { data } = useQuery(findingsQuery(run));
  const [all, setAll] = useState(false);
  if (data === undefined || data.uploads.length === 0) return null;
  const { items } = data;
  return (
    <section className="panel" aria-label="Findings">
      <h2 className="report-head">
        {items.length === 0 ? "Nothing was found" : plural(items.length, "finding")}
        <span className="quiet">{[...new Set(data.uploads.map(({ job }) => job))].join(", ")}</span>
      </h2>
      <ul className="report">
        {(all ? items : items.slice(0, firstFindings)).map((finding, index) => (
          <FindingLine key={index} finding={finding} />
        ))}
      </ul>
      <More count={items.length - firstFindings} all={all} onAll={() => setAll(true)} />
    </section>
  );
}

const states = { error: "failed", warning: "paused", note: "unknown" } as const;

function FindingLine({ finding }: { finding: CodeFinding }) {
  const { level, message, path, line, tool, rule, help } = finding;
  return (
    <li>
      <Mark state={states[level]} label={level} />
      <span>{message}</span>
      {path === undefined ? null : (
        <code>
          {path}
          {line === undefined ? "" : `:${line}`}
        </code>
      )}
      <span className="quiet">
        {help === undefined ? (
          `${tool} ${rule}`
        ) : (
          <a href={help} target="_blank" rel="noreferrer">
            {tool} {rule}
          </a>
        )}
      </span>
    </li>
  );
}

function More({ count, all, onAll }: { count: number; all: boolean; onAll: () => void }) {
  if (all || count <= 0) return null;
  return (
    <button type="button" className="button" onClick={onAll}>
      Show {count} more
    </button>
  );
}
