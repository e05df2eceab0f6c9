/** What the jobs wrote to their summaries, one after the other. */
import { useMemo } from "react";
import type { JobDetail } from "#api";
import { markdownHtml } from "./markdown.ts";
import { SafeHtml } from "./safe-html.tsx";
import "./summaries.css";

/** What is longer is data rather than words, and is shown as it is. */
const longestMarkdown = 256 * 1024;

export function Summaries({ jobs }: { jobs: readonly JobDetail[] }) {
  const told = jobs.filter(({ summary }) => summary !== "");
  return told.map((job) => (
    <section key={job.id} className="panel summary" aria-label={`Summary of ${job.name}`}>
      <details open>
        <summary className="summary-head">
          Summary <span className="quiet">{job.name}</span>
        </summary>
        <div className="summary-body">
          <Summary text={job.summary} />
        </div>
      </details>
    </section>
  ));
}

function Summary({ text }: { text: string }) {
  const html = useMemo(() => (text.length > longestMarkdown ? undefined : markdownHtml(text)), [text]);
  return html === undefined ? <pre>{text}</pre> : <SafeHtml html={html} />;
}
