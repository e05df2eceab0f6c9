/** What runs by the clock, and when next. */
import { useQuery } from "@tanstack/react-query";
import { schedulesQuery } from "../../data/queries.ts";
import { plural } from "../../parts/words.ts";

export function Schedules() {
  const { data = [] } = useQuery(schedulesQuery);
  const [next] = data;
  if (next === undefined) return null;
  return (
    <details className="panel runs-schedules">
      <summary>
        {plural(data.length, "schedule")}; next is {next.workflow} of {next.repository}, <Due at={next.nextAt} />
      </summary>
      <ul>
        {data.map(({ repository, path, workflow, cron, timezone, nextAt }) => (
          <li key={`${repository} ${path} ${cron} ${timezone}`}>
            <Due at={nextAt} /> {workflow} of {repository}: <code>{cron}</code> {timezone}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Due({ at }: { at: string }) {
  const text = new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
  return <time dateTime={at}>{text}</time>;
}
