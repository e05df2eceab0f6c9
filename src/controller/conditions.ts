import type { Condition } from "#api";
import { toTimestamp } from "#lib";

/**
 * The list with `condition` put in by type. `lastTransitionTime` moves only when the status changes, `lastUpdateTime`
 * only when anything does; an equal condition leaves the list itself (same reference) so that no-op writes are seen.
 */
export function setCondition(
  conditions: readonly Condition[],
  condition: Omit<Condition, "lastTransitionTime" | "lastUpdateTime">,
  now: Temporal.Instant,
): Condition[] {
  const old = conditions.find((other) => other.type === condition.type);
  if (old !== undefined && sameCondition(old, condition)) return conditions as Condition[];
  const time = toTimestamp(now);
  const transition = old?.status === condition.status ? (old.lastTransitionTime ?? time) : time;
  const next: Condition = { ...condition, lastTransitionTime: transition, lastUpdateTime: time };
  if (old === undefined) return [...conditions, next];
  return conditions.map((other) => (other.type === condition.type ? next : other));
}

function sameCondition(old: Condition, next: Omit<Condition, "lastTransitionTime" | "lastUpdateTime">): boolean {
  return (
    old.status === next.status &&
    old.reason === next.reason &&
    old.message === next.message &&
    old.observedGeneration === next.observedGeneration
  );
}

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === "True";
}
