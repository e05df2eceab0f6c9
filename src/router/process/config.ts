/** What a router process is told at start: a JSON file whose path is its only argument. It holds no secret. */
import { isObject } from "#lib";
import { RouterError } from "../errors.ts";
import { defaultProxySettings, type ProxySettings } from "../proxy/settings.ts";

export interface RouterConfig {
  /** The process's own folder: its table lies there. */
  readonly folder: string;
  /** Path of the control socket. */
  readonly socket: string;
  readonly listen: { readonly host: string; readonly port: number; readonly reusePort: boolean };
  readonly settings: ProxySettings;
  /** How long requests under way may take after a request to stop. */
  readonly drainMs: number;
}

/** Settings that the file does not name have their defaults. Throws `RouterError` that names the field. */
export function readConfig(text: string): RouterConfig {
  const value: unknown = JSON.parse(text);
  if (!isObject(value) || !isObject(value["listen"])) throw wrong("listen");
  const { folder, socket, drainMs, settings } = value;
  const { host, port, reusePort } = value["listen"];
  if (typeof folder !== "string") throw wrong("folder");
  if (typeof socket !== "string") throw wrong("socket");
  if (typeof drainMs !== "number") throw wrong("drainMs");
  if (typeof host !== "string" || typeof port !== "number" || typeof reusePort !== "boolean") throw wrong("listen");
  const changed = isObject(settings) ? (settings as Partial<ProxySettings>) : {};
  return {
    folder,
    socket,
    drainMs,
    listen: { host, port, reusePort },
    settings: { ...defaultProxySettings, ...changed },
  };
}

function wrong(field: string): RouterError {
  return new RouterError("router/bad-config", `Cannot read router configuration: "${field}" is missing or malformed`);
}
