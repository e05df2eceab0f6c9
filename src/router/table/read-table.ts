/** A routing table from bytes that another process wrote: checked whole before any of it is used. */
import { isIP } from "node:net";
import { isObject } from "#lib";
import { RouterError } from "../errors.ts";
import type {
  Backend,
  EndpointGroup,
  HostRoute,
  PathRoute,
  RoutingTable,
  SplitGeneration,
  TableEndpoint,
} from "./routing-table.ts";

/** About a hundred thousand endpoints. */
export const maxTableBytes = 32 * 1024 * 1024;

/** Throws `RouterError` that names the first field which is wrong. */
export function readTable(value: unknown): RoutingTable {
  const table = object(value, "table");
  const backends = list(table["backends"], "backends", readBackend);
  const known = new Set(backends.map((backend) => backend.key));
  const hosts = list(table["hosts"], "hosts", readHost);
  for (const path of hosts.flatMap((host) => host.paths))
    if (!known.has(path.backend)) wrong(`hosts: path "${path.path}"`, `the key of a backend`, path.backend);
  const splits = list(table["splits"], "splits", readSplit);
  return { generation: integer(table["generation"], "generation", 0), backends, hosts, splits };
}

function readBackend(value: unknown, at: string): Backend {
  const backend = object(value, at);
  return {
    key: text(backend["key"], `${at}.key`),
    namespace: text(backend["namespace"], `${at}.namespace`),
    service: text(backend["service"], `${at}.service`),
    port: integer(backend["port"], `${at}.port`, 0),
    groups: list(backend["groups"], `${at}.groups`, readGroup),
  };
}

function readGroup(value: unknown, at: string): EndpointGroup {
  const group = object(value, at);
  const endpoints = list(group["endpoints"], `${at}.endpoints`, readEndpoint);
  if (endpoints.length === 0) wrong(`${at}.endpoints`, "at least one endpoint", "none");
  return { key: text(group["key"], `${at}.key`), weight: integer(group["weight"], `${at}.weight`, 1), endpoints };
}

function readEndpoint(value: unknown, at: string): TableEndpoint {
  const endpoint = object(value, at);
  const ip = text(endpoint["ip"], `${at}.ip`);
  if (isIP(ip) === 0) wrong(`${at}.ip`, "an IP address", ip);
  const port = integer(endpoint["port"], `${at}.port`, 1);
  if (port > 65_535) wrong(`${at}.port`, "a port", port);
  return { ip, port, revision: text(endpoint["revision"], `${at}.revision`), pod: text(endpoint["pod"], `${at}.pod`) };
}

function readHost(value: unknown, at: string): HostRoute {
  const host = object(value, at);
  return { host: text(host["host"], `${at}.host`), paths: list(host["paths"], `${at}.paths`, readPath) };
}

function readPath(value: unknown, at: string): PathRoute {
  const route = object(value, at);
  const type = text(route["type"], `${at}.type`);
  if (type !== "Exact" && type !== "Prefix") wrong(`${at}.type`, `"Exact" or "Prefix"`, type);
  return { path: text(route["path"], `${at}.path`), type, backend: text(route["backend"], `${at}.backend`) };
}

function readSplit(value: unknown, at: string): SplitGeneration {
  const split = object(value, at);
  return {
    namespace: text(split["namespace"], `${at}.namespace`),
    name: text(split["name"], `${at}.name`),
    generation: integer(split["generation"], `${at}.generation`, 0),
  };
}

function object(value: unknown, at: string): Record<string, unknown> {
  return isObject(value) ? value : wrong(at, "an object", value);
}

function list<T>(value: unknown, at: string, read: (item: unknown, at: string) => T): readonly T[] {
  if (!Array.isArray(value)) return wrong(at, "a list", value);
  return value.map((item: unknown, index) => read(item, `${at}[${index}]`));
}

function text(value: unknown, at: string): string {
  return typeof value === "string" ? value : wrong(at, "a text", value);
}

function integer(value: unknown, at: string, minimum: number): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= minimum
    ? value
    : wrong(at, `an integer of at least ${minimum}`, value);
}

function wrong(at: string, wanted: string, found: unknown): never {
  const shown = JSON.stringify(found)?.slice(0, 80) ?? "nothing";
  throw new RouterError("router/bad-table", `Cannot read routing table: "${at}" must be ${wanted}: found ${shown}`);
}
