/** Where a rollout stands among its steps. */
import type { CanaryStep, Rollout, RolloutStatus } from "#api";
import { canonicalJson, fnv1a32, safeEncode } from "#lib";

export function stepsOf(rollout: Rollout): readonly CanaryStep[] {
  return rollout.spec.strategy.canary?.steps ?? [];
}

/** Changes when the steps do: then the rollout starts them again. */
export function stepsHash(rollout: Rollout): string {
  const steps = rollout.spec.strategy.canary?.steps;
  return safeEncode(String(fnv1a32(canonicalJson(steps ?? null))));
}

/** The index of the current step, undefined without steps or after the last. */
export function currentIndex(rollout: Rollout, status: RolloutStatus): number | undefined {
  const index = status.currentStepIndex ?? 0;
  return index < stepsOf(rollout).length ? index : undefined;
}

export function currentStep(rollout: Rollout, status: RolloutStatus): CanaryStep | undefined {
  const index = currentIndex(rollout, status);
  return index === undefined ? undefined : stepsOf(rollout)[index];
}

/** The nearest setWeight at or before `index`; 0 when there is none. */
function weightAt(rollout: Rollout, index: number): number {
  const weights = stepsOf(rollout)
    .slice(0, index + 1)
    .flatMap((step) => step.setWeight ?? []);
  return weights.at(-1) ?? 0;
}

/** The share of the canary that the steps ask for: 0 when aborted, 100 after the last step and before there is a stable revision. */
export function wantedWeight(
  rollout: Rollout,
  status: RolloutStatus,
  revision: { readonly isStable: boolean },
): number {
  if (status.promoteFull === true || !status.stableRS || revision.isStable) return 100;
  if (status.abort === true) return 0;
  const index = currentIndex(rollout, status);
  return index === undefined ? 100 : weightAt(rollout, index);
}

/** The share that the step before the current one asked for: what holds until the pods for the current one are there. */
export function previousWeight(rollout: Rollout, status: RolloutStatus): number {
  return weightAt(rollout, Math.min(status.currentStepIndex ?? 0, stepsOf(rollout).length) - 1);
}

/** A step as events name it. */
export function stepText(step: CanaryStep): string {
  if (step.setWeight !== undefined) return `setWeight: ${step.setWeight}`;
  if (step.pause !== undefined) return step.pause.duration === undefined ? "pause" : `pause: ${step.pause.duration}`;
  return step.analysis === undefined ? "invalid" : "analysis";
}
