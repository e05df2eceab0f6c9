/** One rollout: its steps, the traffic it was given, what was measured, and what one may do. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { RolloutDetail, RolloutStepView } from "#api";
import { rolloutQuery } from "../../data/queries.ts";
import { Fault, Message, Notice, Placeholder } from "../../parts/faults.tsx";
import { Fact, Facts, PageHead, useTitle } from "../../parts/layout.tsx";
import { Badge, Mark, type MarkState } from "../../parts/mark.tsx";
import { Share } from "../../parts/share.tsx";
import { phaseState } from "../../parts/states.ts";
import { Actions } from "./actions.tsx";
import { Analyses } from "./analyses.tsx";
import { Revisions } from "./revisions.tsx";
import { WeightChart } from "./weight-chart.tsx";
import "./rollout.css";

const route = getRouteApi("/rollouts/$namespace/$name");

export function RolloutPage() {
  const { namespace, name } = route.useParams();
  const { data, error } = useQuery(rolloutQuery(`${namespace}/${name}`));
  useTitle(data === undefined ? name : `${data.phase}: ${name}`);
  if (data !== undefined) return <Rollout rollout={data} />;
  return error === null ? <Placeholder rows={5} height={100} /> : <Fault error={error} />;
}

function Rollout({ rollout }: { rollout: RolloutDetail }) {
  const { namespace, name, phase, message, stepIndex, stepCount } = rollout;
  const done = stepIndex >= stepCount;
  return (
    <div className="page">
      <PageHead
        above={
          <>
            <Link to="/rollouts">Rollouts</Link> / {namespace}
          </>
        }
        title={name}
        below={
          <>
            <Badge state={phaseState(phase)}>{phase}</Badge>
            <span>{rollout.strategy === "canary" ? "canary" : "blue-green"}</span>
            <span>{done ? "all steps done" : `step ${stepIndex + 1} of ${stepCount}`}</span>
          </>
        }
        actions={<Actions rollout={rollout} />}
      />
      {message === "" ? null : (
        <Notice tone={phase === "Degraded" ? "bad" : phase === "Paused" ? "warn" : "plain"}>
          <Message text={message} />
        </Notice>
      )}
      <div className="rollout-top">
        <section className="panel" aria-label="Steps">
          <header className="panel-head">
            <h2>Steps</h2>
          </header>
          <Steps steps={rollout.steps} />
        </section>
        <section className="panel" aria-label="Traffic">
          <header className="panel-head">
            <h2>Traffic of the newest revision</h2>
            <div className="rollout-share">
              <Share weight={rollout.actualWeight} canary={!done} of={name} />
            </div>
          </header>
          <WeightChart rollout={rollout} />
        </section>
      </div>
      <Analyses runs={rollout.analysisRuns} />
      <Facts>
        <Fact name="Wanted share">{rollout.setWeight} %</Fact>
        <Fact name="Pods wanted">{rollout.desired}</Fact>
        <Fact name="Pods there">{rollout.current}</Fact>
        <Fact name="Pods of the newest revision">{rollout.updated}</Fact>
        <Fact name="Pods ready">{rollout.ready}</Fact>
        <Fact name="Pods available">{rollout.available}</Fact>
      </Facts>
      <Revisions rollout={rollout} />
    </div>
  );
}

const stepStates: Readonly<Record<RolloutStepView["state"], MarkState>> = {
  done: "done",
  current: "running",
  waiting: "waiting",
  failed: "failed",
};

function Steps({ steps }: { steps: readonly RolloutStepView[] }) {
  if (steps.length === 0)
    return <p className="rollout-none">This rollout has no steps: a new revision takes over at once.</p>;
  return (
    <ol className="steps">
      {steps.map(({ index, title, state }) => (
        <li
          key={index}
          className={`steps-step steps-${state}`}
          {...(state === "current" ? { "aria-current": "step" } : {})}
        >
          <Mark state={stepStates[state]} label={state} size={18} />
          <span>{title}</span>
        </li>
      ))}
    </ol>
  );
}
