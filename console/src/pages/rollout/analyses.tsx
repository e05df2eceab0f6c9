import type { AnalysisRunView } from "#api";
import { Empty, Message } from "../../parts/faults.tsx";
import { Badge, Mark } from "../../parts/mark.tsx";
import { phaseState } from "../../parts/states.ts";
import { ClockTime, Span } from "../../parts/time.tsx";
import { plural } from "../../parts/words.ts";

type Metric = AnalysisRunView["metrics"][number];
type Measurement = Metric["measurements"][number];

export function Analyses({ runs }: { runs: readonly AnalysisRunView[] }) {
  return (
    <section className="analyses" aria-label="Analysis">
      <h2>Analysis</h2>
      {runs.length === 0 ? <Empty title="Nothing has been measured yet" /> : null}
      {runs.map((run, at) => (
        <Analysis key={run.name} run={run} open={at === 0 || run.phase === "Running"} />
      ))}
    </section>
  );
}

function Analysis({ run, open }: { run: AnalysisRunView; open: boolean }) {
  return (
    <details className="panel analysis" open={open}>
      <summary data-row>
        <Badge state={phaseState(run.phase)}>{run.phase}</Badge>
        <span className="analysis-name clip">{run.name}</span>
        <span className="quiet nowrap">
          {run.role === "" ? "" : `${run.role.toLowerCase()} analysis of `}
          <code>{run.podHash}</code>
        </span>
        <span className="quiet analysis-time">
          {run.startedAt === undefined ? "" : <Span from={run.startedAt} to={run.completedAt} />}
        </span>
      </summary>
      {run.message === "" ? null : (
        <p className="analysis-message">
          <Message text={run.message} />
        </p>
      )}
      {run.metrics.map((metric) => (
        <MetricView key={metric.name} metric={metric} />
      ))}
    </details>
  );
}

function MetricView({ metric }: { metric: Metric }) {
  return (
    <section className="metric">
      <header>
        <Mark state={phaseState(metric.phase)} label={metric.phase} />
        <h3>{metric.name}</h3>
        <span className="quiet">{plural(metric.measurements.length, "measurement")}</span>
      </header>
      <dl className="metric-conditions">
        {metric.successCondition === undefined ? null : (
          <div>
            <dt>Good when</dt>
            <dd>
              <code>{metric.successCondition}</code>
            </dd>
          </div>
        )}
        {metric.failureCondition === undefined ? null : (
          <div>
            <dt>Bad when</dt>
            <dd>
              <code>{metric.failureCondition}</code>
            </dd>
          </div>
        )}
      </dl>
      {metric.measurements.length === 0 ? null : <Measurements measurements={metric.measurements} />}
    </section>
  );
}

function Measurements({ measurements }: { measurements: readonly Measurement[] }) {
  return (
    <table className="measurements">
      <thead>
        <tr>
          <th scope="col">#</th>
          <th scope="col">At</th>
          <th scope="col">Value</th>
          <th scope="col">Verdict</th>
          <th scope="col">Message</th>
        </tr>
      </thead>
      <tbody>
        {measurements.map(({ phase, value, message, startedAt }, at) => (
          <tr key={at}>
            <td className="quiet">{at + 1}</td>
            <td>{startedAt === undefined ? "" : <ClockTime at={startedAt} />}</td>
            <td>
              <code>{value === "" ? "none" : value}</code>
            </td>
            <td>
              <Badge state={phaseState(phase)}>{phase}</Badge>
            </td>
            <td>{message === undefined ? "" : <Message text={message} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
