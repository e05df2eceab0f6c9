/** What a page shows instead of, or above, its content when something is wrong or not there yet. */
import type { ReactNode } from "react";
import { ApiFault } from "../data/api.ts";
import { Mark } from "./mark.tsx";
import { splitPlaces } from "./words.ts";
import "./faults.css";

/** A message of the server: line breaks kept, places in files set off. */
export function Message({ text }: { text: string }) {
  return (
    <span className="message">
      {splitPlaces(text).map(({ text: part, place }, index) =>
        place ? (
          <code key={index} className="place">
            {part}
          </code>
        ) : (
          part
        ),
      )}
    </span>
  );
}

export function Notice({
  tone,
  title,
  children,
}: {
  tone: "bad" | "warn" | "plain";
  title?: string;
  children?: ReactNode;
}) {
  return (
    <div className={`notice notice-${tone}`} role={tone === "bad" ? "alert" : "note"}>
      <Mark state={tone === "bad" ? "failed" : tone === "warn" ? "paused" : "unknown"} />
      <div className="notice-text">
        {title === undefined ? null : <strong>{title}</strong>}
        {children}
      </div>
    </div>
  );
}

export function Fault({ error, title = "This could not be read" }: { error: Error; title?: string }) {
  const missing = error instanceof ApiFault && error.status === 404;
  return (
    <Notice tone={missing ? "plain" : "bad"} title={missing ? "Not here" : title}>
      <Message text={error.message} />
      {error instanceof ApiFault && error.problems.map((problem) => <Message key={problem} text={problem} />)}
    </Notice>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Rows of nothing, as tall as what is coming, and only after a moment so that fast answers do not flash. */
export function Placeholder({ rows, height }: { rows: number; height: number }) {
  return (
    <div className="placeholder" aria-busy="true" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} style={{ height }} />
      ))}
    </div>
  );
}
