/** Where jobs reach the services of this server, and the variables every workflow has. */
import type { ServicesPort, VariablesPort } from "#workflows";
import { type Addresses, controlUrl, namedServerUrl, registryHost } from "./addresses.ts";

export function workflowServices(addresses: Addresses): ServicesPort {
  const base = {
    get serverUrl() {
      return namedServerUrl(addresses);
    },
    get apiUrl() {
      return `${controlUrl(addresses)}/api/v3`;
    },
    get graphqlUrl() {
      return `${controlUrl(addresses)}/api/graphql`;
    },
  };
  return {
    base,
    forJob: () =>
      Promise.resolve({
        serverUrl: base.serverUrl,
        apiUrl: base.apiUrl,
        graphqlUrl: base.graphqlUrl,
        internalServerUrl: controlUrl(addresses),
        actionsPolicy: "built-in-first",
      }),
  };
}

/** `vars.REGISTRY` is the registry of this server, so that one workflow file fits every installation. */
export function workflowVariables(addresses: Addresses): VariablesPort {
  return {
    variables: () => Promise.resolve({ REGISTRY: registryHost(addresses) }),
    secrets: () => Promise.resolve({}),
  };
}
