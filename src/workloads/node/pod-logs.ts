/** What `kubectl logs` asks for, answered from the runtime. */
import type { Pod } from "#api";
import { KubeError } from "#kube";
import type { Clock } from "#lib";
import type { ContainerRecord, PodRuntimePort } from "../ports.ts";

export interface PodLogRequest {
  /** Absent: the pod's only container. */
  readonly container?: string;
  readonly follow: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  readonly sinceTime?: Temporal.Instant;
  readonly timestamps: boolean;
  readonly previous: boolean;
  readonly signal: AbortSignal;
}

export interface PodLogs {
  /** Throws `KubeError` BadRequest, in kubelet's words, when there is no such log. */
  logs(pod: Pod, request: PodLogRequest): Promise<AsyncIterable<Uint8Array>>;
}

export function createPodLogs(runtime: PodRuntimePort, clock: Clock): PodLogs {
  return {
    logs(pod, request) {
      return Promise.try(() => {
        const record = recordFor(runtime, pod, request);
        const { follow, tailLines, sinceSeconds, timestamps, signal } = request;
        const since = sinceSeconds === undefined ? request.sinceTime : clock.now().subtract({ seconds: sinceSeconds });
        return runtime.logs(record.id, {
          follow,
          timestamps,
          signal,
          ...(tailLines === undefined ? {} : { tailLines }),
          ...(since === undefined ? {} : { since }),
        });
      });
    },
  };
}

function recordFor(runtime: PodRuntimePort, pod: Pod, request: PodLogRequest): ContainerRecord {
  const name = containerName(pod, request.container);
  const attempts = runtime.list(pod.metadata.uid).filter((record) => record.name === name);
  const status = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
    (candidate) => candidate.name === name,
  );
  const present = attempts.at(-1);
  if (request.previous) {
    // While it waits to be restarted, the attempt that ended last is the previous one.
    const waits = status?.state?.waiting !== undefined;
    const ended = attempts.findLast((record) => record.state.kind === "exited" && (waits || record !== present));
    if (ended !== undefined) return ended;
    throw badRequest(`previous terminated container "${name}" in pod "${pod.metadata.name}" not found`);
  }
  if (present !== undefined) return present;
  const reason = status?.state?.waiting?.reason ?? "ContainerCreating";
  throw badRequest(`container "${name}" in pod "${pod.metadata.name}" is waiting to start: ${reason}`);
}

function containerName(pod: Pod, wanted: string | undefined): string {
  const names = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ name }) => name);
  const { name } = pod.metadata;
  if (wanted !== undefined && wanted !== "") {
    if (names.includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${name}`);
  }
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return only;
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(" ")}]`);
}

function badRequest(message: string): KubeError {
  return new KubeError("BadRequest", message);
}
