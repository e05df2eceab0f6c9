/** Who asks the registry, and whether they may. */
import type { AccessPort, Identity } from "#api";
import type { Clock } from "#lib";
import type { FastifyRequest } from "fastify";
import { RegistryError } from "./errors.ts";
import { mayAct, type Action } from "./scopes.ts";
import { service, verifyToken, type TokenKey } from "./tokens.ts";

export interface EntranceOptions {
  readonly access: AccessPort;
  readonly issuer: TokenKey;
  readonly clock: Clock;
}

export interface Visitor {
  readonly name: string;
  may(repository: string, action: Action): boolean;
  /** A signed token can be exchanged for one that may more; a login is what it is. */
  readonly by: "token" | "login";
}

/** Throws UNAUTHORIZED with the challenge that tells the client where to get a token. */
export async function requireVisitor(
  options: EntranceOptions,
  request: FastifyRequest,
  scope: string | undefined,
): Promise<Visitor> {
  const header = request.headers.authorization;
  const [, bearer] = /^Bearer\s+(\S+)$/i.exec(header ?? "") ?? [];
  if (bearer !== undefined) {
    const token = await verifyToken(options.issuer, bearer, options.clock);
    if (token !== undefined) {
      const may = (name: string, action: Action): boolean =>
        token.grants.some((grant) => grant.name === name && grant.actions.includes(action));
      return { name: token.subject, may, by: "token" };
    }
  }
  const identity = await options.access.authenticate(header);
  if (identity !== undefined) return visitorOf(identity);
  const error = header === undefined ? undefined : "invalid_token";
  throw unauthorized(request, scope, error, "Authentication is needed: log in with a token as password");
}

/** Throws unless the visitor may. A signed token without the scope is told so; its client then asks for another. */
export function requireAction(request: FastifyRequest, visitor: Visitor, name: string, action: Action): void {
  if (visitor.may(name, action)) return;
  const message = `Cannot ${action} "${name}": the login does not permit it`;
  if (visitor.by === "login") throw new RegistryError("DENIED", 403, message);
  throw unauthorized(request, scopeFor(name, action), "insufficient_scope", message);
}

/** Clients that push also read. */
export function scopeFor(name: string, action: Action): string {
  return `repository:${name}:${action === "push" ? "pull,push" : action}`;
}

function visitorOf(identity: Identity): Visitor {
  return { name: identity.name, may: (name, action) => mayAct(identity, name, action), by: "login" };
}

function unauthorized(
  request: FastifyRequest,
  scope: string | undefined,
  error: string | undefined,
  message: string,
): RegistryError {
  // Clients ask the realm wherever they reached us, so it is made from their own words.
  const realm = `${request.protocol}://${request.host}/token`;
  const parts = [`realm="${realm}"`, `service="${service}"`];
  if (scope !== undefined) parts.push(`scope="${scope}"`);
  if (error !== undefined) parts.push(`error="${error}"`);
  return new RegistryError("UNAUTHORIZED", 401, message, {
    headers: { "www-authenticate": `Bearer ${parts.join(",")}` },
  });
}
