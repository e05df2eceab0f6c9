/** Whether this machine can reach the addresses of an engine's containers: pure. */
import type { EngineAddress } from "#engine";
import type { EngineInfo } from "./engine-types.ts";

/**
 * A rootful engine on Linux puts containers on a bridge of this machine. An engine without root, and one in a virtual
 * machine (Docker Desktop, podman machine), has a network of its own: there the pods' declared ports are published on
 * loopback instead.
 */
export function needsPublishedPorts(address: EngineAddress, info: EngineInfo, platform: NodeJS.Platform): boolean {
  const rootless = info.Rootless === true || (info.SecurityOptions ?? []).some((option) => option.includes("rootless"));
  const desktop = /docker desktop/i.test(info.OperatingSystem ?? "");
  return platform !== "linux" || rootless || desktop || address.kind === "tcp";
}
