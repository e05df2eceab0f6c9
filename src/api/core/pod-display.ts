/** What `kubectl get pods` shows of a pod in its columns: pure, after upstream's printer. */
import { ageSince } from "../meta/human-age.ts";
import type { ContainerState, ContainerStatus, Pod } from "./pod.ts";

export interface PodDisplay {
  /** `1/2`: containers that are ready, of all; sidecars count. */
  readonly ready: string;
  /** `Running`, `CrashLoopBackOff`, `Init:0/1`, `Terminating`, … */
  readonly status: string;
  /** `3 (5m ago)`: how often the containers restarted, and when the last time. */
  readonly restarts: string;
}

export function podDisplay(pod: Pod, now: Temporal.Instant): PodDisplay {
  const { spec, status } = pod;
  const sidecars = new Set(
    (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always").map(({ name }) => name),
  );
  const inits = status?.initContainerStatuses ?? [];
  const containers = status?.containerStatuses ?? [];
  const init = initReason(pod, sidecars);
  const conditions = status?.conditions ?? [];
  const initialized =
    init === undefined || conditions.some(({ type, status: met }) => type === "Initialized" && met === "True");
  const own = inits.filter(({ name }) => sidecars.has(name));
  const counted = initialized ? [...own, ...containers] : inits;
  const ready = [
    ...own.filter((sidecar) => sidecar.started === true && sidecar.ready),
    ...(initialized ? containers.filter(isServing) : []),
  ].length;
  return {
    ready: `${ready}/${spec.containers.length + sidecars.size}`,
    status: ending(pod) ?? (initialized ? containersReason(pod, init) : (init ?? "")),
    restarts: restartsText(counted, now),
  };
}

function isServing({ ready, state }: ContainerStatus): boolean {
  return ready && state?.running !== undefined;
}

function ending({ metadata, status }: Pod): string | undefined {
  const done = status?.phase === "Succeeded" || status?.phase === "Failed";
  return metadata.deletionTimestamp === undefined || done ? undefined : "Terminating";
}

/** Where the init containers are; undefined when the last of them is done, or a sidecar that has started. */
function initReason({ spec, status }: Pod, sidecars: ReadonlySet<string>): string | undefined {
  const total = spec.initContainers?.length ?? 0;
  for (const [index, { name, state, started }] of (status?.initContainerStatuses ?? []).entries()) {
    const { terminated, waiting } = state ?? {};
    if (terminated?.exitCode === 0 || (sidecars.has(name) && started === true)) continue;
    if (terminated !== undefined) return `Init:${endReason(terminated)}`;
    if (waiting?.reason !== undefined && waiting.reason !== "PodInitializing") return `Init:${waiting.reason}`;
    return `Init:${index}/${total}`;
  }
  return undefined;
}

function endReason({ reason, signal, exitCode }: NonNullable<ContainerState["terminated"]>): string {
  return reason ?? (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);
}

function containersReason({ status }: Pod, init: string | undefined): string {
  const gated = status?.conditions?.some(({ type, reason }) => type === "PodScheduled" && reason === "SchedulingGated");
  let text = init ?? (gated === true ? "SchedulingGated" : (status?.reason ?? status?.phase ?? "Pending"));
  let isRunning = false;
  for (const container of (status?.containerStatuses ?? []).toReversed()) {
    const { waiting, terminated } = container.state ?? {};
    if (waiting?.reason) text = waiting.reason;
    else if (terminated !== undefined) text = endReason(terminated);
    else if (isServing(container)) isRunning = true;
  }
  if (text !== "Completed" || !isRunning) return text;
  const ready = status?.conditions?.some(({ type, status: met }) => type === "Ready" && met === "True") ?? false;
  return ready ? "Running" : "NotReady";
}

function restartsText(statuses: readonly ContainerStatus[], now: Temporal.Instant): string {
  const count = statuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const last = statuses
    .map(({ lastState }) => lastState?.terminated?.finishedAt)
    .filter((time) => time !== undefined)
    .sort()
    .at(-1);
  return count > 0 && last !== undefined ? `${count} (${ageSince(last, now)} ago)` : String(count);
}
