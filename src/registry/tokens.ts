/** Access tokens of the registry: short-lived, signed, saying what their bearer may do, so that pulls look nothing up. */
import { isObject, type Clock } from "#lib";
import { jwtVerify, SignJWT } from "jose";
import type { Grant } from "./scopes.ts";

export interface TokenKey {
  /** HS256; at least 32 random bytes, kept by the caller so that a restart does not log everybody out. */
  readonly secret: Uint8Array;
}

export interface RegistryToken {
  readonly subject: string;
  readonly grants: readonly Grant[];
}

/** The audience, and the `service` of the challenge. */
export const service = "tidegate-registry";
const issuer = "tidegate-registry";

/** Long enough for the slowest request to begin after it; revoking the login takes effect this late. */
export const tokenLifeSeconds = 300;

export async function signToken(key: TokenKey, token: RegistryToken, clock: Clock): Promise<string> {
  const now = Math.floor(clock.now().epochMilliseconds / 1000);
  return await new SignJWT({ access: token.grants.map((grant) => ({ ...grant })) })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuer(issuer)
    .setAudience(service)
    .setSubject(token.subject)
    .setIssuedAt(now)
    .setNotBefore(now - 30)
    .setExpirationTime(now + tokenLifeSeconds)
    .sign(key.secret);
}

/** Undefined for anything that this registry has not signed, or that has expired. */
export async function verifyToken(key: TokenKey, text: string, clock: Clock): Promise<RegistryToken | undefined> {
  try {
    const currentDate = new Date(clock.now().epochMilliseconds);
    const options = { issuer, audience: service, algorithms: ["HS256"], currentDate };
    const { payload } = await jwtVerify(text, key.secret, options);
    const access: unknown = payload["access"];
    return { subject: payload.sub ?? "", grants: Array.isArray(access) ? access.filter(isGrant) : [] };
  } catch {
    return undefined;
  }
}

function isGrant(value: unknown): value is Grant {
  return isObject(value) && typeof value["name"] === "string" && Array.isArray(value["actions"]);
}
