/** `spec.restartAt`: pods older than it are replaced, no more at once than may be missing. */
import { isPodReady, type Pod } from "#api";
import { msBetween } from "#lib";
import { isRestartPending } from "./phase.ts";
import { rolloutLimits } from "./replica-counts.ts";
import { type Situation } from "./situation.ts";

/** Adds the pods to replace; true when there are any, since then availability is not what it seems. */
export function planRestart(situation: Situation): boolean {
  const { rollout, draft, now, observed, actions, replicas } = situation;
  const { restartAt } = rollout.spec;
  if (restartAt === undefined || !isRestartPending(restartAt, draft.restartedAt)) return false;
  const at = Temporal.Instant.from(restartAt);
  const waitMs = msBetween(now, at);
  if (waitMs > 0) {
    actions.push({ kind: "requeueAfter", ms: waitMs, reason: "restart time" });
    return false;
  }
  const old = observed.pods.filter((pod) => isOlder(pod, at));
  if (old.length === 0) {
    draft.restartedAt = restartAt;
    return false;
  }
  const ready = observed.pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && isPodReady(pod)).length;
  const missing = Math.max(0, replicas - ready);
  const budget = Math.max(1, rolloutLimits(rollout).maxUnavailable) - missing;
  const standing = old.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  // Pods that do not serve cost nothing to replace.
  const broken = standing.filter((pod) => !isPodReady(pod));
  const chosen = [...broken, ...standing.filter(isPodReady).slice(0, Math.max(0, budget))];
  for (const pod of chosen) actions.push({ kind: "deletePod", name: pod.metadata.name });
  return chosen.length > 0;
}

function isOlder(pod: Pod, at: Temporal.Instant): boolean {
  const created = pod.metadata.creationTimestamp;
  return created !== undefined && Temporal.Instant.compare(Temporal.Instant.from(created), at) < 0;
}
