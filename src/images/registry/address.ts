/** Where a registry host answers. Loopback hosts speak plain http, as Docker treats them; all others https. */
import { isIPv4 } from "node:net";

/** Base URL of the host's `/v2/` API. */
export function registryBaseUrl(host: string): string {
  if (host === "docker.io") return "https://registry-1.docker.io";
  const url = new URL(`http://${host}`);
  if (!isLoopbackHost(url.hostname)) return `https://${host}`;
  return `http://${reachableHost(url.hostname)}${url.port === "" ? "" : `:${url.port}`}`;
}

function isLoopbackHost(hostname: string): boolean {
  const name = hostname.toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost") || name === "[::1]") return true;
  return isIPv4(name) && name.startsWith("127.");
}

/** `*.localhost` is loopback by RFC 6761 but not every resolver knows it, so it is not asked. */
function reachableHost(hostname: string): string {
  return hostname.toLowerCase().endsWith("localhost") ? "127.0.0.1" : hostname;
}

/** The same for a whole URL that a registry handed out (token realm, upload location). */
export function reachableUrl(url: URL): URL {
  const copy = new URL(url);
  if (isLoopbackHost(copy.hostname)) copy.hostname = reachableHost(copy.hostname);
  return copy;
}
