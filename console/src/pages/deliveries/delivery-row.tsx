import { memo, useId } from "react";
import type { DeliveryView } from "#api";
import { Badge } from "../../parts/mark.tsx";
import { Share } from "../../parts/share.tsx";
import { outcomes } from "../../parts/states.ts";
import { Ago, Span } from "../../parts/time.tsx";
import { shortSha } from "../../parts/words.ts";
import { StageCell } from "./stage-cell.tsx";
import { TraceView } from "./trace-view.tsx";

interface DeliveryRowProps {
  readonly delivery: DeliveryView;
  readonly open: boolean;
  readonly onToggle: () => void;
}

export const DeliveryRow = memo(function DeliveryRow({ delivery, open, onToggle }: DeliveryRowProps) {
  const { message, sha, repository, branch, author, pushedAt, stages, outcome } = delivery;
  const traceId = useId();
  return (
    <li className={`delivery delivery-${outcome}${open ? " delivery-open" : ""}`}>
      <div className="delivery-row">
        <div className="delivery-commit">
          <button
            type="button"
            data-row
            className="delivery-toggle clip"
            aria-expanded={open}
            aria-controls={traceId}
            title={message}
            onClick={onToggle}
            {...(open ? { "data-close": true } : {})}
          >
            {message === "" ? shortSha(sha) : message}
          </button>
          <div className="delivery-facts clip">
            <code>{shortSha(sha)}</code> {repository}
            {branch === "main" ? "" : ` (${branch})`}
          </div>
          <div className="delivery-facts clip">
            {author === "" ? "" : `${author}, `}
            <Ago at={pushedAt} />
          </div>
        </div>
        <ol className="delivery-stages" aria-label="Stages">
          {stages.map((stage) => (
            <StageCell key={stage.name} stage={stage} delivery={delivery} />
          ))}
        </ol>
        <div className="delivery-end">
          <Badge state={outcomes[outcome].state}>{outcomes[outcome].word}</Badge>
          <span className="delivery-facts">
            <Pace delivery={delivery} />
          </span>
          <Traffic delivery={delivery} />
        </div>
      </div>
      <div id={traceId}>{open ? <TraceView delivery={delivery} /> : null}</div>
    </li>
  );
});

/** How long it took, or takes, from the commit on. */
function Pace({ delivery }: { delivery: DeliveryView }) {
  const { outcome, pushedAt, stages } = delivery;
  const production = stages.find((stage) => stage.name === "production");
  if (production?.state === "done" && production.startedAt !== undefined) {
    return (
      <>
        in <Span from={pushedAt} to={production.startedAt} />
      </>
    );
  }
  if (outcome === "delivering") {
    return (
      <>
        for <Span from={pushedAt} />
      </>
    );
  }
  const end = stages.findLast((stage) => stage.finishedAt !== undefined)?.finishedAt;
  return end === undefined ? null : (
    <>
      after <Span from={pushedAt} to={end} />
    </>
  );
}

/** Keeps its height without traffic, so that rows do not move when it starts. */
function Traffic({ delivery }: { delivery: DeliveryView }) {
  const shown = delivery.weight > 0 || (delivery.outcome === "delivering" && delivery.rollout !== undefined);
  if (!shown) return <div className="delivery-no-traffic" />;
  const canary = delivery.stages.some(({ name, state }) => name === "production" && state !== "done");
  return <Share weight={delivery.weight} canary={canary} of={shortSha(delivery.sha)} />;
}
