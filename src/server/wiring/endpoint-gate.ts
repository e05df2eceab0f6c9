/** Waits until no router sends anything to a pod that is about to stop. */
import { pods } from "#api";
import type { Informers } from "#controller";
import type { Routers } from "#router";
import type { EndpointGatePort } from "#workloads";

export function endpointGate(informers: Informers, routers: Routers): EndpointGatePort {
  return {
    async awaitUnrouted(pod, signal) {
      const found = informers.for(pods).get(pod.namespace, pod.name);
      if (found?.metadata.uid !== pod.uid) return;
      const text = found.metadata.annotations?.["tidegate.dev/port-map"] ?? "{}";
      const ports = Object.values(JSON.parse(text) as Record<string, number>);
      const ip = found.status?.podIP ?? "127.0.0.1";
      await Promise.all(ports.map((port) => routers.drained(`${ip}:${port}`, signal)));
    },
  };
}
