/** `/token`: exchanges a login for a signed token (the registry token protocol; GET as docker, POST as OAuth 2). */
import type { AccessPort, Identity } from "#api";
import type { Clock } from "#lib";
import type { FastifyReply, FastifyRequest } from "fastify";
import { RegistryError } from "./errors.ts";
import { readBody } from "./body.ts";
import { grantScopes, parseScopes } from "./scopes.ts";
import { signToken, tokenLifeSeconds, type TokenKey } from "./tokens.ts";

export interface TokenRoutesOptions {
  readonly access: AccessPort;
  readonly issuer: TokenKey;
  readonly clock: Clock;
}

const maxFormBytes = 64 * 1024;

export async function getToken(
  options: TokenRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const identity = await options.access.authenticate(request.headers.authorization);
  if (identity === undefined) throw loginNeeded();
  const query = new URL(request.url, "http://registry.invalid").searchParams;
  return await answer(options, identity, query.getAll("scope"), reply);
}

/** Only `grant_type=password`: there are no refresh tokens, because a login is a token already and can be revoked. */
export async function postToken(
  options: TokenRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const form = new URLSearchParams((await readBody(request.raw, maxFormBytes)).toString("utf8"));
  if (form.get("grant_type") !== "password") {
    // Clients then fall back to GET.
    throw new RegistryError("UNSUPPORTED", 400, 'Cannot give a token: only grant_type "password" is served');
  }
  const login = Buffer.from(`${form.get("username") ?? ""}:${form.get("password") ?? ""}`).toString("base64");
  const identity = await options.access.authenticate(`Basic ${login}`);
  if (identity === undefined) throw loginNeeded();
  return await answer(options, identity, form.getAll("scope"), reply);
}

async function answer(
  { issuer, clock }: TokenRoutesOptions,
  identity: Identity,
  scopes: readonly string[],
  reply: FastifyReply,
): Promise<FastifyReply> {
  const grants = grantScopes(identity, parseScopes(scopes));
  const token = await signToken(issuer, { subject: identity.name, grants }, clock);
  const issued_at = clock.now().toString({ smallestUnit: "second" });
  const body = { token, access_token: token, expires_in: tokenLifeSeconds, issued_at };
  return await reply.header("cache-control", "no-store").send(body);
}

function loginNeeded(): RegistryError {
  const headers = { "www-authenticate": 'Basic realm="tidegate"' };
  return new RegistryError("UNAUTHORIZED", 401, "Cannot give a token: user name or password is wrong", { headers });
}
