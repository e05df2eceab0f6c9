import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { DeliveryStage, DeliveryView } from "#api";
import { durationText } from "../../parts/duration.ts";
import { Mark } from "../../parts/mark.tsx";
import { Span } from "../../parts/time.tsx";

const words: Readonly<Record<DeliveryStage["state"], string>> = {
  waiting: "waiting",
  running: "running",
  paused: "paused",
  done: "done",
  failed: "failed",
  skipped: "skipped",
};

export function StageCell({ stage, delivery }: { stage: DeliveryStage; delivery: DeliveryView }) {
  const { name, state, detail } = stage;
  const label = `${name}: ${words[state]}${detail === "" ? "" : `, ${detail}`}`;
  return (
    <li className={`stage stage-${state}`} title={label}>
      <Mark state={state} label={label} size={18} />
      <StageLink stage={stage} delivery={delivery}>
        <span className="stage-time">
          <StageTime stage={stage} pushedAt={delivery.pushedAt} />
        </span>
        <span className="stage-detail">{detail}</span>
      </StageLink>
    </li>
  );
}

/** A stage that took time shows how much; one that is a moment shows when it came, counted from the push. */
function StageTime({ stage, pushedAt }: { stage: DeliveryStage; pushedAt: string }) {
  const { state, startedAt, finishedAt } = stage;
  if (state === "waiting") return null;
  if (state === "skipped" || startedAt === undefined) return words[state];
  if (state === "paused") return "paused";
  if (finishedAt !== startedAt) return <Span from={startedAt} to={finishedAt} />;
  return `+${durationText(Date.parse(startedAt) - Date.parse(pushedAt))}`;
}

interface StageLinkProps {
  readonly stage: DeliveryStage;
  readonly delivery: DeliveryView;
  readonly children: ReactNode;
}

/** Each stage leads to where its work can be seen. */
function StageLink({ stage, delivery, children }: StageLinkProps) {
  const { runId, application, rollout } = delivery;
  if (stage.name === "build" || stage.name === "image") {
    if (runId === undefined) return <div className="stage-text">{children}</div>;
    return (
      <Link to="/runs/$id" params={{ id: runId }} className="stage-text">
        {children}
      </Link>
    );
  }
  if (stage.name === "environment" && application !== undefined) {
    return (
      <Link to="/applications/$namespace/$name" params={application} className="stage-text">
        {children}
      </Link>
    );
  }
  if (stage.name !== "environment" && rollout !== undefined) {
    const { namespace, name } = rollout;
    return (
      <Link to="/rollouts/$namespace/$name" params={{ namespace, name }} className="stage-text">
        {children}
      </Link>
    );
  }
  return <div className="stage-text">{children}</div>;
}
