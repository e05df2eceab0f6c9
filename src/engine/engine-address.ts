/** Where a Docker-compatible engine listens: pure but for looking whether a socket is there. */
import { existsSync } from "node:fs";
import { EngineUnusable } from "./errors.ts";

export type EngineAddress =
  | { readonly kind: "socket"; readonly path: string }
  /** Without TLS: of this machine only. */
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** Reads what DOCKER_HOST holds. Throws `engine/unusable` for what this client does not speak. */
export function parseEngineAddress(text: string): EngineAddress {
  const socket = /^unix:\/\/(\/.+)$/.exec(text)?.[1] ?? (text.startsWith("/") ? text : undefined);
  if (socket !== undefined) return { kind: "socket", path: socket };
  const tcp = /^(?:tcp|http):\/\/(\[[^\]]+\]|[^:/]+):(\d+)\/?$/.exec(text);
  if (tcp?.[1] === undefined) {
    throw new EngineUnusable(
      "engine/unusable",
      `Cannot use container engine "${text}": write unix:///path/to/socket or tcp://127.0.0.1:port`,
    );
  }
  if (!loopback.test(tcp[1])) {
    throw new EngineUnusable(
      "engine/unusable",
      `Cannot use container engine "${text}": volumes are folders of this machine, so the engine has to be on it too`,
    );
  }
  return { kind: "tcp", host: tcp[1].replace(/^\[|\]$/g, ""), port: Number(tcp[2]) };
}

/** Where engines listen when nobody says, most usual first. */
const usualSockets = ["/var/run/docker.sock", "/run/podman/podman.sock"];

/** @param configured DOCKER_HOST. @param userSocket of an engine that runs as this user: `$XDG_RUNTIME_DIR/podman/podman.sock` */
export function findEngine(configured: string | undefined, userSocket?: string): EngineAddress {
  if (configured !== undefined && configured !== "") return parseEngineAddress(configured);
  const candidates = [...usualSockets, ...(userSocket === undefined ? [] : [userSocket])];
  const found = candidates.find((path) => existsSync(path));
  if (found !== undefined) return { kind: "socket", path: found };
  throw new EngineUnusable(
    "engine/unusable",
    `Cannot find a container engine: DOCKER_HOST is not set and there is no ${candidates.join(" or ")}`,
  );
}

export function engineText(address: EngineAddress): string {
  return address.kind === "socket" ? `unix://${address.path}` : `tcp://${address.host}:${address.port}`;
}
