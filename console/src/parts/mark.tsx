/** The one set of state marks: shape and colour both tell the state, so that neither has to be seen. */
import type { ReactNode } from "react";
import "./mark.css";

export type MarkState =
  | "warning"
  | "waiting"
  | "running"
  | "paused"
  | "done"
  | "failed"
  | "skipped"
  | "unknown"
  | "changed";

const shapes: Readonly<Record<MarkState, ReactNode>> = {
  waiting: <circle cx="8" cy="8" r="5.5" className="mark-ring" strokeDasharray="2.4 2.2" />,
  running: (
    <>
      <circle cx="8" cy="8" r="6" className="mark-track" />
      <path d="M8 2a6 6 0 0 1 6 6" className="mark-arc" />
    </>
  ),
  paused: (
    <>
      <circle cx="8" cy="8" r="7" className="mark-disc" />
      <path d="M6.2 5.4v5.2M9.8 5.4v5.2" className="mark-cut" />
    </>
  ),
  warning: (
    <>
      <path d="M8 1.6 15 14H1z" className="mark-disc" strokeLinejoin="round" />
      <path d="M8 6v3.8M8 11.9v.2" className="mark-cut" />
    </>
  ),
  done: (
    <>
      <circle cx="8" cy="8" r="7" className="mark-disc" />
      <path d="m4.9 8.3 2.2 2.2 4-4.6" className="mark-cut" />
    </>
  ),
  failed: (
    <>
      <circle cx="8" cy="8" r="7" className="mark-disc" />
      <path d="m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8" className="mark-cut" />
    </>
  ),
  skipped: (
    <>
      <circle cx="8" cy="8" r="5.5" className="mark-ring" />
      <path d="M5.6 8h4.8" className="mark-ring" />
    </>
  ),
  unknown: (
    <>
      <circle cx="8" cy="8" r="5.5" className="mark-ring" />
      <circle cx="8" cy="8" r="1.4" className="mark-dot" />
    </>
  ),
  changed: (
    <>
      <circle cx="8" cy="8" r="7" className="mark-disc" />
      <path d="M4.8 6.4h6.4M4.8 9.6h6.4" className="mark-cut" />
    </>
  ),
};

export function Mark({ state, label, size = 16 }: { state: MarkState; label?: string; size?: number }) {
  const named = label === undefined ? { "aria-hidden": true } : { role: "img", "aria-label": label };
  return (
    <svg className={`mark mark-${state}`} width={size} height={size} viewBox="0 0 16 16" {...named}>
      {shapes[state]}
    </svg>
  );
}

/** A mark with its word beside it. */
export function Badge({ state, children, title }: { state: MarkState; children: ReactNode; title?: string }) {
  return (
    <span className={`badge badge-${state}`} title={title}>
      <Mark state={state} size={14} />
      {children}
    </span>
  );
}
