/** Keeps one authorisation per repository and set of actions, got by the registry's own challenge. */
import { isObject, type Clock } from "#lib";
import { ImageError } from "../errors.ts";
import { reachableUrl } from "./address.ts";
import type { Challenge } from "./challenge.ts";
import { unreachable } from "./unreachable.ts";

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

/** What a registry host is logged in with; undefined for anonymous access. */
export type CredentialsSource = (host: string) => RegistryCredentials | undefined;

interface Grant {
  readonly header: string;
  readonly expiresAtMs: number;
}

export class Authorizer {
  readonly #grants = new Map<string, Grant>();
  readonly #credentials: CredentialsSource;
  readonly #clock: Clock;

  constructor(credentials: CredentialsSource, clock: Clock) {
    this.#credentials = credentials;
    this.#clock = clock;
  }

  /** The header that worked last for this scope, if it is still good. */
  header(host: string, scope: string): string | undefined {
    const grant = this.#grants.get(`${host} ${scope}`);
    return grant !== undefined && grant.expiresAtMs > this.#clock.now().epochMilliseconds ? grant.header : undefined;
  }

  /** Answers a challenge. Undefined when there is nothing to answer it with. */
  async answer(host: string, scope: string, challenge: Challenge, signal: AbortSignal): Promise<string | undefined> {
    const credentials = this.#credentials(host);
    const nowMs = this.#clock.now().epochMilliseconds;
    if (challenge.scheme === "basic") {
      if (credentials === undefined) return undefined;
      return this.#keep(host, scope, basicHeader(credentials), nowMs + 24 * 3_600_000);
    }
    const { token, expiresInSeconds } = await this.#fetchToken(host, scope, challenge, credentials, signal);
    // Ten seconds early, so that a token does not run out under way.
    return this.#keep(host, scope, `Bearer ${token}`, nowMs + Math.max(expiresInSeconds - 10, 1) * 1000);
  }

  #keep(host: string, scope: string, header: string, expiresAtMs: number): string {
    this.#grants.set(`${host} ${scope}`, { header, expiresAtMs });
    return header;
  }

  async #fetchToken(
    host: string,
    scope: string,
    challenge: Challenge & { scheme: "bearer" },
    credentials: RegistryCredentials | undefined,
    signal: AbortSignal,
  ): Promise<{ token: string; expiresInSeconds: number }> {
    const url = reachableUrl(new URL(challenge.realm));
    if (challenge.service !== undefined) url.searchParams.set("service", challenge.service);
    for (const one of new Set([...scope.split(" "), ...(challenge.scope?.split(" ") ?? [])])) {
      if (one !== "") url.searchParams.append("scope", one);
    }
    if (credentials !== undefined) url.searchParams.set("account", credentials.username);
    const headers: Record<string, string> = { accept: "application/json" };
    if (credentials !== undefined) headers["authorization"] = basicHeader(credentials);
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, { headers, signal });
      text = await response.text();
    } catch (error) {
      signal.throwIfAborted();
      throw unreachable(host, "a token", error);
    }
    if (!response.ok) {
      const hint = credentials === undefined ? "log in to it first" : "check the user name and password";
      throw new ImageError(
        "images/registry-refused",
        `Cannot get a token for registry "${host}": it answered ${response.status}, ${hint}`,
        { details: { status: response.status } },
      );
    }
    return readToken(text, host);
  }
}

function readToken(text: string, host: string): { token: string; expiresInSeconds: number } {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  if (isObject(body)) {
    const token = body["token"] ?? body["access_token"];
    const expires = body["expires_in"];
    // Distribution token authentication: 60 seconds when the answer does not say.
    if (typeof token === "string") return { token, expiresInSeconds: typeof expires === "number" ? expires : 60 };
  }
  throw new ImageError("images/registry-refused", `Cannot get a token for registry "${host}": its answer has no token`);
}

function basicHeader(credentials: RegistryCredentials): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
}
