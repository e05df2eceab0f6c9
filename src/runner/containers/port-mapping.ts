/** `ports:` of a container as `docker create --publish` reads them: pure. */
import { StepFailure } from "../errors.ts";

interface PortMapping {
  /** `6379/tcp`. */
  readonly container: string;
  /** Empty: the engine chooses. */
  readonly hostPort: string;
  readonly hostIp: string;
}

const pattern = /^(?:(?:(\[[^\]]+\]|[\d.]+):)?(\d*):)?(\d+)(?:\/(tcp|udp|sctp))?$/;

/**
 * Published on loopback unless an address is given: what a job publishes is for its own steps, and the machine has
 * neighbours.
 */
function parsePort(text: string): PortMapping {
  const [, hostIp, hostPort = "", port, protocol = "tcp"] = pattern.exec(text.trim()) ?? [];
  if (port === undefined || Number(port) > 65_535 || Number(hostPort) > 65_535) {
    throw new StepFailure(`Port "${text}" of a container cannot be read: write e.g. "6379", "6379:6379" or "5353/udp"`);
  }
  return { container: `${port}/${protocol}`, hostPort, hostIp: hostIp ?? "127.0.0.1" };
}

export function portRequest(ports: readonly string[]): {
  readonly exposed: Record<string, object>;
  readonly bindings: Record<string, { readonly HostIp: string; readonly HostPort: string }[]>;
} {
  const exposed: Record<string, object> = {};
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { container, hostPort, hostIp } of ports.map(parsePort)) {
    exposed[container] = {};
    (bindings[container] ??= []).push({ HostIp: hostIp.replace(/^\[|\]$/g, ""), HostPort: hostPort });
  }
  return { exposed, bindings };
}
