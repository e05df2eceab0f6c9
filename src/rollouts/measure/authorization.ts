/** The Authorization header that a metric's `authentication` asks for. */
import type { PrometheusProvider } from "#api";
import { isObject } from "#lib";
import { MeasureError } from "../errors.ts";
import { readJson } from "./read-json.ts";

export async function authorization(
  { authentication }: PrometheusProvider,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): Promise<string | undefined> {
  const basic = authentication?.basicAuth;
  if (basic?.username || basic?.password) {
    if (!basic.username) throw missing("basic auth", "username");
    if (!basic.password) throw missing("basic auth", "password");
    return `Basic ${encode(basic.username, basic.password)}`;
  }
  const oauth = authentication?.oauth2;
  if (!oauth?.tokenUrl) return undefined;
  if (!oauth.clientId || !oauth.clientSecret) throw missing("OAuth2", "clientId and clientSecret");
  const form = new URLSearchParams({ grant_type: "client_credentials" });
  if (oauth.scopes !== undefined) form.set("scope", oauth.scopes.join(" "));
  const headers = {
    authorization: `Basic ${encode(encodeURIComponent(oauth.clientId), encodeURIComponent(oauth.clientSecret))}`,
  };
  const response = await fetch(oauth.tokenUrl, { method: "POST", body: form, headers, signal });
  const body = await readJson(response);
  const token = isObject(body) ? body["access_token"] : undefined;
  if (typeof token !== "string") throw new MeasureError(`OAuth2 token request failed: HTTP ${response.status}`);
  return `Bearer ${token}`;
}

function missing(scheme: string, field: string): MeasureError {
  return new MeasureError(`missing mandatory parameter in metric for ${scheme} setup: ${field}`);
}

function encode(user: string, password: string): string {
  return Buffer.from(`${user}:${password}`).toString("base64");
}
