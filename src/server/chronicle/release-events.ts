/** What a change of a Rollout means for the timeline. Pure: the rollout before and after in, events out. */
import { type Rollout, type TimelineEvent, type TimelineKind, type TimelineTone } from "#api";
import { releaseId } from "./event-ids.ts";

export const revisionAnnotation = "rollout.argoproj.io/revision";

interface Context {
  readonly now: string;
  /** Ids of what made this release: the sync that applied it, the image it runs. */
  readonly causes: readonly string[];
  /** Ids of analysis runs that condemned this release. */
  readonly verdicts: readonly string[];
}

/** All events that must be on record for a rollout in this state; those recorded before are left as they are. */
export function releaseEvents(rollout: Rollout, context: Context): TimelineEvent[] {
  const { status } = rollout;
  const revision = rollout.metadata.annotations?.[revisionAnnotation];
  if (status?.currentPodHash === undefined || revision === undefined) return [];
  const id = releaseId(rollout, revision);
  const events = [event(rollout, "rollout-started", id, context.causes, context, "neutral")];
  const weight = weightOf(rollout);
  if (weight !== undefined) {
    const step = status.currentStepIndex ?? 0;
    const title = `${weight} % of traffic to revision ${revision}`;
    events.push({ ...event(rollout, "rollout-step", `${id}:step:${step}:${weight}`, [id], context, "neutral"), title });
  }
  if (status.abort === true) {
    const causes = [id, ...context.verdicts];
    const aborted = event(
      rollout,
      "rollout-aborted",
      `${id}:aborted:${status.abortedAt ?? ""}`,
      causes,
      context,
      "bad",
    );
    events.push({ ...aborted, title: status.message ?? aborted.title });
  }
  if (status.stableRS === status.currentPodHash && status.phase === "Healthy") {
    events.push(event(rollout, "rollout-promoted", `${id}:promoted`, [id], context, "good"));
  }
  return events;
}

/** Share of traffic that the newest revision has by now; undefined when nothing is divided. */
function weightOf(rollout: Rollout): number | undefined {
  const { currentPodHash, stableRS, canary, abort } = rollout.status ?? {};
  if (stableRS === undefined || stableRS === "" || stableRS === currentPodHash || abort === true) return undefined;
  return canary?.weights?.canary.weight;
}

const titles: Partial<Record<TimelineKind, string>> = {
  "rollout-started": "Release began",
  "rollout-promoted": "Promoted: all traffic",
  "rollout-aborted": "Aborted: back to stable",
};

function event(
  rollout: Rollout,
  kind: TimelineKind,
  id: string,
  causes: readonly string[],
  context: Context,
  tone: TimelineTone,
): TimelineEvent {
  const { namespace = "", name } = rollout.metadata;
  const { status } = rollout;
  return {
    id,
    kind,
    at: context.now,
    subject: `${namespace}/${name}`,
    title: `${titles[kind] ?? kind} (revision ${rollout.metadata.annotations?.[revisionAnnotation] ?? "?"})`,
    tone,
    causes,
    data: {
      namespace,
      rollout: name,
      podHash: status?.currentPodHash ?? "",
      stableHash: status?.stableRS ?? "",
      stepIndex: status?.currentStepIndex ?? 0,
      weight: weightOf(rollout) ?? (status?.stableRS === status?.currentPodHash ? 100 : 0),
      images: rollout.spec.template.spec.containers.map((container) => container.image).join(","),
    },
  };
}
