/** What pods with a network of their own reach of this machine: the router by the names of services, and the API server. */
import { services } from "#api";
import type { Informers } from "#controller";
import type { GatewayPort } from "#runtime";
import type { Addresses } from "./addresses.ts";

/** Its certificate stands for it. */
const apiServer = "kubernetes.default.svc";

export function podGateway(informers: Informers, addresses: Addresses): GatewayPort {
  const known = informers.for(services);
  return {
    apiServer,
    names: () => [
      apiServer,
      ...known.list().flatMap(({ metadata: { name, namespace = "default" } }) =>
        // The names that the router knows.
        ["localhost", "svc.cluster.local"].map((end) => `${name}.${namespace}.${end}`),
      ),
    ],
    ports: () => ({
      // Of the Service `kubernetes`, which programs ask without looking for the port.
      443: addresses.kubePort,
      80: addresses.trafficPort,
      [addresses.trafficPort]: addresses.trafficPort,
      [addresses.kubePort]: addresses.kubePort,
    }),
  };
}
