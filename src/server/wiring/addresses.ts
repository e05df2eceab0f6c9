/** How things of ours are called from outside, and which of what is called from outside is ours. */

/** The one node of the embedded cluster; the same over restarts. */
export const nodeName = "local";

export interface Addresses {
  readonly host: string;
  readonly controlPort: number;
  readonly trafficPort: number;
  readonly kubePort: number;
  /** What somebody put in front, with TLS: `https://gate.example.com`. Where people and other machines come in. */
  readonly publicUrl?: string | undefined;
}

/** By number: what needs no name resolution. */
export function controlUrl(addresses: Addresses): string {
  return `http://${urlHost(addresses.host)}:${addresses.controlPort}`;
}

/** What is handed to people and to other machines. */
export function publicUrl(addresses: Addresses): string {
  return addresses.publicUrl ?? controlUrl(addresses);
}

/**
 * By the name that actions see as GITHUB_SERVER_URL. Clients of GitHub take a server on `*.localhost` for a modern one
 * and any other unknown host for an old enterprise server, with less of the API.
 */
export function namedServerUrl(addresses: Addresses): string {
  return `http://tidegate.localhost:${addresses.controlPort}`;
}

/** `127.0.0.1:7070`: the host of image names. */
export function registryHost(addresses: Addresses): string {
  return `${urlHost(addresses.host)}:${addresses.controlPort}`;
}

export function trafficUrl(addresses: Addresses): string {
  return `http://${urlHost(addresses.host)}:${addresses.trafficPort}`;
}

/** Of the Kubernetes API, over TLS and with nothing behind the port: what clients inside a cluster expect. */
export function kubeUrl(addresses: Addresses): string {
  return `https://${urlHost(addresses.host)}:${addresses.kubePort}`;
}

function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

/**
 * The `owner/repo` that a git URL or an image name on this machine means. Any port counts, so that what was written
 * before the port was changed still means the same; a repository that does not exist here is found out by its use.
 */
export function ownRepository(text: string): string | undefined {
  const match = /^(?:https?:\/\/)?(?:[^@/]*@)?([^/]+)\/([\w.-]+\/[\w.-]+?)(?:\.git)?\/?(?:[@:].*)?$/.exec(text);
  if (match === null) return undefined;
  const host = (match[1] ?? "").replace(/:\d+$/, "");
  return isLoopback(host) ? match[2] : undefined;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host.endsWith(".localhost") || /^127(?:\.\d{1,3}){3}$/.test(host);
}
