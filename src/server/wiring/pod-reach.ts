/**
 * Where processes of this machine reach the API server and services. A service's cluster address is a number that
 * nothing routes to; its name below `localhost` is one that the router knows, and every program resolves.
 */
import type { PodReachPort } from "#workloads";
import type { Addresses } from "./addresses.ts";

export function podReach(addresses: Addresses): PodReachPort {
  return {
    apiServer: () => ({ host: "127.0.0.1", port: addresses.kubePort }),
    service: ({ metadata }) => ({
      host: `${metadata.name}.${metadata.namespace ?? "default"}.localhost`,
      port: addresses.trafficPort,
    }),
  };
}
