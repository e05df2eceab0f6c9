/**
 * What people do to a rollout, as patches to the object: promote, abort, retry, pause, restart, undo. The command line,
 * the console and the API all use these.
 */
import { podTemplateHashLabel, type ReplicaSet, type Rollout } from "#api";
import { preciseTime } from "../timestamps.ts";
import { isSameTemplate } from "./pod-template.ts";
import { isControlledBy, revisionOf } from "./revisions.ts";
import { stepsOf } from "./steps.ts";

/** Merge patches, `spec` for the object and `status` for its status subresource; both are to be applied. */
export interface RolloutPatch {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** Goes on: ends a pause, else skips the current step. Does not take an abort back. */
export function promotePatch(rollout: Rollout): RolloutPatch {
  const { status = {} } = rollout;
  const unpause = rollout.spec.paused === true ? { spec: { paused: false } } : {};
  const index = status.currentStepIndex ?? 0;
  const next = Math.min(index + 1, stepsOf(rollout).length);
  const paused = (status.pauseConditions ?? []).length > 0;
  const inconclusive = status.canary?.currentStepAnalysisRunStatus?.status === "Inconclusive";
  if (paused && inconclusive && status.controllerPause === true) {
    return { ...unpause, status: { pauseConditions: null, controllerPause: false, currentStepIndex: next } };
  }
  if (paused) return { ...unpause, status: { pauseConditions: null } };
  if (stepsOf(rollout).length === 0) return unpause;
  return { ...unpause, status: { pauseConditions: null, currentStepIndex: next } };
}

/** Skips all steps and analyses, also those of an aborted update. */
export function promoteFullPatch(rollout: Rollout): RolloutPatch {
  const unpause = rollout.spec.paused === true ? { spec: { paused: false } } : {};
  const { currentPodHash, stableRS } = rollout.status ?? {};
  return currentPodHash === stableRS ? unpause : { ...unpause, status: { promoteFull: true } };
}

/** Back to the stable revision. */
export function abortPatch(): RolloutPatch {
  return { status: { abort: true, promoteFull: null } };
}

/** Starts an aborted update again at its first step. */
export function retryPatch(): RolloutPatch {
  return { status: { abort: false } };
}

export function pausePatch(): RolloutPatch {
  return { spec: { paused: true } };
}

/** Ends every pause, without skipping anything. */
export function resumePatch(): RolloutPatch {
  return { spec: { paused: false }, status: { pauseConditions: null } };
}

/** Replaces every pod that is older than `at`. */
export function restartPatch(at: Temporal.Instant): RolloutPatch {
  return { spec: { restartAt: preciseTime(at) } };
}

/** The images of containers by name; `*` means all. Undefined when no container has such a name. */
export function setImagePatch(rollout: Rollout, images: Readonly<Record<string, string>>): RolloutPatch | undefined {
  const containers = rollout.spec.template.spec.containers;
  const names = new Set(containers.map(({ name }) => name));
  if (Object.keys(images).some((name) => name !== "*" && !names.has(name))) return undefined;
  // A merge patch replaces lists whole.
  const changed = containers.map((container) => ({
    ...container,
    image: images[container.name] ?? images["*"] ?? container.image,
  }));
  return { spec: { template: { spec: { containers: changed } } } };
}

export type Undo =
  /** The template of revision `revision`, to replace `spec.template` with as a whole. */
  | { readonly kind: "template"; readonly revision: number; readonly template: Rollout["spec"]["template"] }
  /** It is the current one already. */
  | { readonly kind: "skipped"; readonly message: string }
  | { readonly kind: "refused"; readonly message: string };

/** The template to go back to: that of `toRevision`, or of the revision before the newest when it is 0. */
export function undo(rollout: Rollout, replicaSets: readonly ReplicaSet[], toRevision = 0): Undo {
  const owned = replicaSets.filter((set) => isControlledBy(rollout, set));
  const newestFirst = owned.toSorted((a, b) => revisionOf(b) - revisionOf(a));
  const set = toRevision === 0 ? newestFirst[1] : owned.find((one) => revisionOf(one) === toRevision);
  if (set === undefined) {
    const known = newestFirst.map(revisionOf).join(", ") || "none";
    const message =
      toRevision === 0
        ? `Cannot undo rollout "${rollout.metadata.name}": there is no revision before the current one`
        : `Cannot undo rollout "${rollout.metadata.name}": there is no revision ${toRevision}: known are ${known}`;
    return { kind: "refused", message };
  }
  const template = structuredClone(set.spec.template);
  if (template.metadata?.labels !== undefined) delete template.metadata.labels[podTemplateHashLabel];
  const revision = revisionOf(set);
  if (isSameTemplate(template, rollout.spec.template)) {
    const message = `skipped rollback (current template already matches revision ${revision})`;
    return { kind: "skipped", message };
  }
  return { kind: "template", revision, template };
}
