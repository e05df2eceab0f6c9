/** The one word `kubectl get pods` shows for a pod's state: pure, after upstream's printer. */
import { ageSince } from "../meta/human-age.ts";
import type { ContainerStatus, Pod } from "./pod.ts";

/** `Running`, `CrashLoopBackOff`, `Init:0/1`, `Terminating`, … */
export function podDisplayStatus(pod: Pod): string {
  const status = pod.status;
  const fallback = status?.reason ?? status?.phase ?? "Pending";
  const initial = initStatus(pod);
  const running = initial ?? containersStatus(status?.containerStatuses ?? [], fallback, pod);
  if (pod.metadata.deletionTimestamp === undefined) return running;
  const done = status?.phase === "Succeeded" || status?.phase === "Failed";
  return done ? running : "Terminating";
}

function initStatus(pod: Pod): string | undefined {
  const total = pod.spec.initContainers?.length ?? 0;
  for (const [index, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const { terminated, waiting } = container.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (terminated !== undefined) {
      return `Init:${terminated.reason ?? (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`)}`;
    }
    if (waiting?.reason !== undefined && waiting.reason !== "PodInitializing") return `Init:${waiting.reason}`;
    return `Init:${index}/${total}`;
  }
  return undefined;
}

function containersStatus(statuses: readonly ContainerStatus[], fallback: string, pod: Pod): string {
  let reason = fallback;
  let hasRunning = false;
  for (const { state, ready } of statuses.toReversed()) {
    if (state?.waiting?.reason) reason = state.waiting.reason;
    else if (state?.terminated !== undefined) {
      const { exitCode, signal } = state.terminated;
      reason = state.terminated.reason ?? (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);
    } else if (ready && state?.running !== undefined) hasRunning = true;
  }
  if (reason !== "Completed" || !hasRunning) return reason;
  const ready = pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
  return ready ? "Running" : "NotReady";
}

/** `3 (5m ago)`: how often the containers restarted, and when the last time. */
export function podRestarts(pod: Pod, now: Temporal.Instant): string {
  const statuses = pod.status?.containerStatuses ?? [];
  const count = statuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const last = statuses
    .map(({ lastState }) => lastState?.terminated?.finishedAt)
    .filter((time) => time !== undefined)
    .sort()
    .at(-1);
  return count > 0 && last !== undefined ? `${count} (${ageSince(last, now)} ago)` : String(count);
}
