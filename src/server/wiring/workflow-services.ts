/** Where jobs reach the services of this server. */
import type { ServicesPort } from "#workflows";
import { type Addresses, controlUrl, namedServerUrl } from "./addresses.ts";

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
