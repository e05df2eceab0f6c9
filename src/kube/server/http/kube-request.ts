import type { Clock, Log } from "#lib";
import type { PodLogPort, PodStreamPort, UsagePort } from "../../ports.ts";
import type { ObjectApi } from "../object-api.ts";
import type { Authenticator } from "../authentication/authenticator.ts";
import type { KubeUser } from "../authentication/user.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import { badRequest } from "../refusals.ts";
import type { AccountTokens } from "../service-accounts/account-tokens.ts";
import { invalidOptions, optionsOf } from "./option-rules.ts";
import type { FieldValidation } from "../write/write-request.ts";

/** A request after authentication, before anything is known of its meaning. */
export interface KubeRequest {
  readonly method: string;
  /** Percent-encoded, without the prefix. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  readonly user: KubeUser;
  /** Aborts when the client goes away or the server closes. */
  readonly signal: AbortSignal;
}

/** What every handler works with. */
export interface KubeFace {
  readonly objects: ObjectApi;
  readonly logs: PodLogPort;
  readonly streams: PodStreamPort;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly accounts: AccountTokens;
  readonly clock: Clock;
  readonly log: Log;
  /** Absent: `metrics.k8s.io` knows of nothing. */
  readonly usage?: UsagePort | undefined;
  /** Of this server, for `/version`. */
  readonly version: string;
}

/** A boolean parameter: present without value, `true` and `1` are true. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== "false" && value !== "0";
}

/** Throws BadRequest when the parameter is there and not a whole number of at least 0. */
export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^\d{1,15}$/.test(text))
    throw badRequest(`parameter "${name}" must be a whole number: found ${JSON.stringify(text)}`);
  return Number(text);
}

export function isDryRun(request: Pick<KubeRequest, "query" | "method">): boolean {
  const values = request.query.getAll("dryRun");
  if (values.length === 0) return false;
  if (values.every((value) => value === "All")) return true;
  const given = values.map((value) => JSON.stringify(value)).join(", ");
  const message = `Unsupported value: []string{${given}}: supported values: "All"`;
  throw invalidOptions(optionsOf(request.method), [["dryRun", message]]);
}

export function fieldValidation({ query, method }: Pick<KubeRequest, "query" | "method">): FieldValidation {
  const value = query.get("fieldValidation") ?? "";
  if (value === "") return "Warn";
  if (value === "Ignore" || value === "Warn" || value === "Strict") return value;
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: "", "Ignore", "Strict", "Warn"`;
  throw invalidOptions(optionsOf(method), [["fieldValidation", message]]);
}

/** Appliers must name themselves: throws Invalid when the parameter is missing. */
export function applyManager(request: KubeRequest): string {
  if ((request.query.get("fieldManager") ?? "") !== "") return fieldManager(request);
  throw invalidOptions("PatchOptions", [["fieldManager", "Required value: is required for apply patch"]]);
}

/** Who the fields belong to: the parameter, or the program in the User-Agent. */
export function fieldManager(request: KubeRequest): string {
  const named = request.query.get("fieldManager") ?? "";
  const kind = optionsOf(request.method);
  if (named.length > 128) {
    throw invalidOptions(kind, [["fieldManager", "Too long: may not be more than 128 bytes"]]);
  }
  const at = Array.from(named).findIndex((character) => !/[\P{C}]/u.test(character));
  if (at >= 0) {
    const code = (named.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    const message = `Invalid value: ${JSON.stringify(named)}: invalid character U+${code} (at position ${at})`;
    throw invalidOptions(kind, [["fieldManager", message]]);
  }
  if (named !== "") return named;
  const agent = (request.headers["user-agent"] ?? "").split("/")[0]?.trim() ?? "";
  return agent === "" ? "unknown" : agent.slice(0, 128);
}
