/** Who asks the product API: a token in the header, or a browser's session cookie. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Identity, permits } from "#api";
import { cookieValue, type Tokens } from "#auth";
import { ApiError } from "./api-error.ts";

const cookieName = "tidegate_session";
const sessionSeconds = 30 * 24 * 3600;

declare module "fastify" {
  interface FastifyContextConfig {
    /** The route asks about one repository and looks itself at what the token may do there. */
    readonly ofRepository?: boolean;
  }
}

export const ofRepository = { ofRepository: true } as const;

const identities = new WeakMap<FastifyRequest, Identity>();

export function identityOf(request: FastifyRequest): Identity {
  const identity = identities.get(request);
  if (identity === undefined)
    throw new ApiError("api/unauthorized", "A token is needed: Authorization: Bearer <token>");
  return identity;
}

/** Every route of `app` then needs a token: `api:read` for reading, `api:write` for the rest, but those `ofRepository`. */
export function requireIdentity(app: FastifyInstance, tokens: Tokens): void {
  app.addHook("onRequest", async (request) => {
    const identity = await whoAsks(request, tokens);
    if (identity === undefined) {
      throw new ApiError("api/unauthorized", "A token is needed: Authorization: Bearer <token>");
    }
    const verb = request.method === "GET" || request.method === "HEAD" ? "read" : "write";
    if (request.routeOptions.config.ofRepository !== true && !permitsEverywhere(identity, verb)) {
      throw new ApiError("api/forbidden", `This token may not do that: it needs the scope api:${verb}`);
    }
    identities.set(request, identity);
  });
}

/** A token for one repository is for git, images and what asks about that repository, not for all that is here. */
function permitsEverywhere(identity: Identity, verb: "read" | "write"): boolean {
  const whole = identity.scopes.filter((scope) => scope.split(":").length < 3);
  return permits({ ...identity, scopes: whole }, "api", verb);
}

/** The identity behind a request, by header or cookie. */
export async function whoAsks(request: FastifyRequest, tokens: Tokens): Promise<Identity | undefined> {
  if (request.headers.authorization !== undefined) return await tokens.authenticate(request.headers.authorization);
  // A cookie goes with any request a browser makes, so another site's must not count (CSRF).
  const site = request.headers["sec-fetch-site"];
  if (request.method !== "GET" && site !== undefined && site !== "same-origin") return undefined;
  return await tokens.authenticateSession(cookieValue(request.headers.cookie, cookieName));
}

/** `GET /login?code=…` trades a one-time code for a session and goes to the console. */
export function loginRoute(app: FastifyInstance, tokens: Tokens): void {
  app.get<{ Querystring: { code?: string } }>("/login", async (request, reply) => {
    const session = await tokens.redeemLoginCode(request.query.code ?? "");
    if (session === undefined) {
      const text = "This login link has been used or is older than ten minutes. Make a new one: tidegate token login\n";
      return reply.code(401).type("text/plain; charset=utf-8").send(text);
    }
    const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${sessionSeconds}`;
    return reply.header("set-cookie", `${cookieName}=${session}; ${attributes}`).redirect("/", 303);
  });
}
