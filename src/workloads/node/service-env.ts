/** Variables that tell a container of services, as kubelet sets them: pure. */
import type { Service } from "#api";

export interface ServiceAddress {
  readonly host: string;
  readonly port: number;
}

/** Where a port of a service is reached from pods of this node; undefined where nothing reaches it. */
export type ServiceReach = (service: Service, port: number) => ServiceAddress | undefined;

/** `REDIS_MASTER_SERVICE_HOST=…` and its kin, for each service with an address. */
export function serviceVariables(services: readonly Service[], reach: ServiceReach): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const service of services) {
    const { clusterIP = "", ports = [], type } = service.spec;
    const first = ports[0];
    if (type === "ExternalName" || clusterIP === "" || clusterIP === "None" || first === undefined) continue;
    const name = envName(service.metadata.name);
    const main = reach(service, first.port);
    if (main === undefined) continue;
    variables[`${name}_SERVICE_HOST`] = main.host;
    variables[`${name}_SERVICE_PORT`] = String(main.port);
    for (const port of ports) {
      const address = reach(service, port.port);
      if (address === undefined) continue;
      if (port.name !== undefined && port.name !== "") {
        variables[`${name}_SERVICE_PORT_${envName(port.name)}`] = String(address.port);
      }
      Object.assign(variables, linkVariables(name, port.port, port.protocol ?? "TCP", address, port === first));
    }
  }
  return variables;
}

/** The API server, under the name of the service that upstream has for it. */
export function apiServerVariables(address: ServiceAddress): Record<string, string> {
  return {
    KUBERNETES_SERVICE_HOST: address.host,
    KUBERNETES_SERVICE_PORT: String(address.port),
    KUBERNETES_SERVICE_PORT_HTTPS: String(address.port),
    ...linkVariables("KUBERNETES", 443, "TCP", address, true),
  };
}

/** The variables of container links, which upstream keeps for old images. */
function linkVariables(
  name: string,
  port: number,
  protocol: string,
  address: ServiceAddress,
  isFirst: boolean,
): Record<string, string> {
  const prefix = `${name}_PORT_${port}_${protocol.toUpperCase()}`;
  const url = `${protocol.toLowerCase()}://${address.host}:${address.port}`;
  return {
    ...(isFirst ? { [`${name}_PORT`]: url } : {}),
    [prefix]: url,
    [`${prefix}_PROTO`]: protocol.toLowerCase(),
    [`${prefix}_PORT`]: String(address.port),
    [`${prefix}_ADDR`]: address.host,
  };
}

function envName(name: string): string {
  return name.replaceAll("-", "_").toUpperCase();
}
