import type { Clock, Log } from "#lib";
import type { PodLogPort, PodStreamPort, UsagePort } from "../../ports.ts";
import type { ObjectApi } from "../object-api.ts";
import { KubeError } from "../../client/kube-error.ts";
import type { Authenticator } from "../authentication/authenticator.ts";
import type { KubeUser } from "../authentication/user.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import { badRequest } from "../refusals.ts";
import type { AccountTokens } from "../service-accounts/account-tokens.ts";
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

export function isDryRun(query: URLSearchParams): boolean {
  const values = query.getAll("dryRun");
  if (values.length === 0) return false;
  if (values.every((value) => value === "All")) return true;
  throw badRequest(`Invalid value: ${JSON.stringify(values.join(","))}: dryRun must be "All"`);
}

export function fieldValidation(query: URLSearchParams): FieldValidation {
  const value = query.get("fieldValidation") ?? "";
  if (value === "") return "Warn";
  if (value === "Ignore" || value === "Warn" || value === "Strict") return value;
  throw badRequest(`fieldValidation parameter: Unsupported value: ${JSON.stringify(value)}`);
}

/** Appliers must name themselves: throws Invalid when the parameter is missing. */
export function applyManager(request: KubeRequest): string {
  if ((request.query.get("fieldManager") ?? "") !== "") return fieldManager(request);
  const message = "Required value: is required for apply patch";
  throw new KubeError("Invalid", `PatchOptions.meta.k8s.io "" is invalid: fieldManager: ${message}`, {
    group: "meta.k8s.io",
    kind: "PatchOptions",
    causes: [{ reason: "FieldValueRequired", message, field: "fieldManager" }],
  });
}

/** Who the fields belong to: the parameter, or the program in the User-Agent. */
export function fieldManager(request: KubeRequest): string {
  const named = request.query.get("fieldManager") ?? "";
  if (named.length > 128) throw badRequest("fieldManager must be at most 128 characters");
  if (named !== "") return named;
  const agent = (request.headers["user-agent"] ?? "").split("/")[0]?.trim() ?? "";
  return agent === "" ? "unknown" : agent.slice(0, 128);
}
