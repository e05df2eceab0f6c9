/** Who did something, as GitHub shows people and programs. */
import { isJobName } from "#api";
import { fnv1a32 } from "#lib";

export interface UserShape {
  readonly login: string;
  readonly id: number;
  readonly node_id: string;
  readonly avatar_url: string;
  readonly gravatar_id: string;
  readonly url: string;
  readonly html_url: string;
  readonly type: "User" | "Bot" | "Organization";
  readonly site_admin: boolean;
}

/** Jobs act as the bot that actions look for, whatever run they belong to. */
export const jobLogin = "github-actions[bot]";

export function loginOf(name: string): string {
  return isJobName(name) ? jobLogin : name;
}

/** Names stand for people here; where GitHub has a number for them, the name gives a stable one. */
export function userShape(name: string, serverUrl: string): UserShape {
  const login = loginOf(name);
  const encoded = encodeURIComponent(login);
  const id = fnv1a32(login.toLowerCase());
  return {
    login,
    id,
    node_id: nodeId("User", id),
    avatar_url: "",
    gravatar_id: "",
    url: `${serverUrl}/api/v3/users/${encoded}`,
    html_url: `${serverUrl}/${encoded}`,
    type: login === jobLogin ? "Bot" : "User",
    site_admin: false,
  };
}

export function nodeId(type: string, id: number | string): string {
  return Buffer.from(`${type}:${id}`).toString("base64");
}

/** RFC 3339 with whole seconds, as GitHub has them. */
export function isoTime(ms: number): string {
  return Temporal.Instant.fromEpochMilliseconds(ms).toString({ smallestUnit: "second" });
}

export function optionalTime(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}
