/** Ways into a pod that runs, for `kubectl exec`, `attach` and `port-forward`: answered from the runtime. */
import type { Duplex } from "node:stream";
import type { Pod } from "#api";
import { KubeError, type PodSession, type PodStreamPort, type SessionRequest } from "#kube";
import type { ContainerRecord, PodRuntimePort } from "../ports.ts";

export type PodStreams = PodStreamPort;

export function createPodStreams(runtime: PodRuntimePort): PodStreams {
  return {
    requireRunning(pod, container) {
      runningContainer(runtime, pod, container);
    },
    async exec(pod, request): Promise<PodSession> {
      const { id } = runningContainer(runtime, pod, request.container);
      return await runtime.openExec(id, request.command, optionsOf(request));
    },
    async attach(pod, request): Promise<PodSession> {
      const { id } = runningContainer(runtime, pod, request.container);
      return await runtime.attach(id, optionsOf(request));
    },
    async connect(pod, port, signal): Promise<Duplex> {
      return await runtime.connect(pod.metadata.uid ?? "", port, signal);
    },
  };
}

function optionsOf({ stdin, tty, signal }: SessionRequest): Omit<SessionRequest, "container"> {
  return { stdin, tty, signal };
}

/** Throws, in kubelet's words, when no attempt of the container runs. */
function runningContainer(runtime: PodRuntimePort, pod: Pod, name: string): ContainerRecord {
  const found = runtime
    .list(pod.metadata.uid)
    .findLast((record) => record.name === name && record.state.kind === "running");
  if (found !== undefined) return found;
  throw new KubeError("NotFound", `container not found ("${name}")`, { name: pod.metadata.name, kind: "pods" });
}
