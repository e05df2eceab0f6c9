/** What a change of a Rollout means for the timeline. Pure: the rollout before and after in, events out. */
import type { Rollout, TimelineEvent, TimelineKind, TimelineTone } from "#api";
import { analysisId, releaseId } from "./event-ids.ts";

interface Context {
  readonly now: string;
  /** Number of the revision in `status.currentPodHash`, as its ReplicaSet says; undefined while there is none. */
  readonly revision: string | undefined;
  /** Ids of what made this release: the sync that applied it. */
  readonly causes: readonly string[];
}

/** All events that must be on record for a rollout in this state; those recorded before are left as they are. */
export function releaseEvents(rollout: Rollout, context: Context): TimelineEvent[] {
  const { status, metadata } = rollout;
  const { revision } = context;
  // A status of an older spec speaks of the release before; what is true of that one is on record already.
  const observed = status?.observedGeneration === String(metadata.generation ?? 0);
  if (!observed || status.currentPodHash === undefined || revision === undefined) return [];
  const id = releaseId(metadata.uid ?? "", revision, status.currentPodHash);
  const events = [event(rollout, "rollout-started", id, context.causes, context, "neutral")];
  const weight = weightOf(rollout);
  if (weight !== undefined && weight > 0) {
    // A retry after an abort goes through the same shares once more: `abortedAt` tells the rounds apart.
    const round = status.abortedAt === undefined ? "" : `:${status.abortedAt}`;
    const title = `${weight} % of traffic to revision ${revision}`;
    events.push({
      ...event(rollout, "rollout-step", `${id}:weight:${weight}${round}`, [id], context, "neutral"),
      title,
    });
  }
  if (status.abort === true) {
    const causes = [id, ...verdictsOf(rollout)];
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

/** Analyses that condemned the release, as the status names them. */
function verdictsOf(rollout: Rollout): string[] {
  const { currentStepAnalysisRunStatus, currentBackgroundAnalysisRunStatus } = rollout.status?.canary ?? {};
  return [currentStepAnalysisRunStatus, currentBackgroundAnalysisRunStatus]
    .filter((run) => run?.status === "Failed" || run?.status === "Error")
    .map((run) => analysisId(rollout.metadata.namespace ?? "", run?.name ?? ""));
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
    title: `${titles[kind] ?? kind} (revision ${context.revision ?? "?"})`,
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
