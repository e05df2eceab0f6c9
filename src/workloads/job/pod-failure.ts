/** Which pods of a job have failed, when, and what its policy says to that: pure. */
import type { ContainerStatus, Job, Pod, PodFailureAction, PodFailureRule } from "#api";

/** Pods on their way out count as failed already, unless only what has really failed is replaced. */
export function isPodFailed(job: Job, { status, metadata }: Pod): boolean {
  if (status?.phase === "Failed") return true;
  if (replacesOnlyFailed(job)) return false;
  return metadata.deletionTimestamp !== undefined && status?.phase !== "Succeeded";
}

export function replacesOnlyFailed({ spec }: Job): boolean {
  return spec.podReplacementPolicy === "Failed" || spec.podFailurePolicy !== undefined;
}

export interface PolicyVerdict {
  /** The rule's action; undefined where no rule fits. */
  readonly action: PodFailureAction | undefined;
  readonly counts: boolean;
  /** With `FailJob`. */
  readonly message?: string;
}

/** The first rule that fits decides. */
export function policyVerdict({ spec }: Job, pod: Pod): PolicyVerdict {
  for (const [index, rule] of (spec.podFailurePolicy?.rules ?? []).entries()) {
    const what = matchRule(rule, pod);
    if (what === undefined) continue;
    const { action } = rule;
    if (action !== "FailJob") return { action, counts: action !== "Ignore" };
    return { action, counts: true, message: `${what} matching ${action} rule at index ${index}` };
  }
  return { action: undefined, counts: true };
}

/** How the pod fits the rule, in words; undefined where it does not. */
function matchRule(
  { onExitCodes, onPodConditions = [] }: PodFailureRule,
  { metadata, status }: Pod,
): string | undefined {
  const name = `${metadata.namespace}/${metadata.name}`;
  if (onExitCodes !== undefined) {
    const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
    const found = all.find((container) => matchesExitCode(onExitCodes, container));
    if (found === undefined) return undefined;
    return `Container ${found.name} for pod ${name} failed with exit code ${found.state?.terminated?.exitCode}`;
  }
  const condition = status?.conditions?.find(({ type, status: value }) =>
    onPodConditions.some((pattern) => pattern.type === type && (pattern.status ?? "True") === value),
  );
  return condition === undefined ? undefined : `Pod ${name} has condition ${condition.type}`;
}

function matchesExitCode(
  { containerName, operator, values }: NonNullable<PodFailureRule["onExitCodes"]>,
  { name, state }: ContainerStatus,
): boolean {
  const code = state?.terminated?.exitCode;
  if (code === undefined || code === 0) return false;
  if (containerName !== undefined && containerName !== name) return false;
  return values.includes(code) === (operator === "In");
}

/** When the pod ended: its last container's end, else the best that is known. */
export function finishedAtMs({ metadata, status }: Pod): number {
  const ends = (status?.containerStatuses ?? []).map(({ state }) => state?.terminated?.finishedAt);
  if (ends.length > 0 && ends.every((end) => end !== undefined)) return Math.max(...ends.map(msOf));
  const ready = status?.conditions?.find((condition) => condition.type === "Ready" && condition.status === "False");
  if (ready?.lastTransitionTime !== undefined) return msOf(ready.lastTransitionTime);
  if (metadata.deletionTimestamp !== undefined) {
    return msOf(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  }
  return msOf(metadata.creationTimestamp ?? "1970-01-01T00:00:00Z");
}

export function msOf(timestamp: string): number {
  return Temporal.Instant.from(timestamp).epochMilliseconds;
}

const firstBackOffMs = 10_000;
const maxBackOffMs = 600_000;

/** 10 s after the first failure, then 20 s, 40 s, … 10 min; the time before which none is made anew. */
export function retryAtMs(failures: number, lastMs: number): number {
  return failures === 0 ? 0 : lastMs + Math.min(maxBackOffMs, firstBackOffMs * 2 ** Math.min(failures - 1, 20));
}
