import type { JobDetail } from "#api";
import { Message } from "../../parts/faults.tsx";
import { Mark } from "../../parts/mark.tsx";

const states = { error: "failed", warning: "warning", notice: "unknown" } as const;
const order = { error: 0, warning: 1, notice: 2 } as const;

/** What the jobs said about places in files; the worst first. */
export function Annotations({ jobs }: { jobs: readonly JobDetail[] }) {
  const all = jobs.flatMap((job) => job.annotations.map((annotation) => ({ ...annotation, job })));
  if (all.length === 0) return null;
  all.sort((a, b) => order[a.level] - order[b.level]);
  return (
    <section className="panel" aria-label="Annotations">
      <ul className="annotations">
        {all.map(({ level, message, title, path, startLine, job }, index) => (
          <li key={index} className={`annotation annotation-${level}`}>
            <Mark state={states[level]} label={level} />
            <div>
              <div className="annotation-head">
                {title === undefined || title === "" ? null : <strong>{title}</strong>}
                {path === undefined || path === "" ? null : (
                  <code className="place">{startLine === undefined ? path : `${path}:${startLine}`}</code>
                )}
                <span className="quiet">{job.name}</span>
              </div>
              <Message text={message} />
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
