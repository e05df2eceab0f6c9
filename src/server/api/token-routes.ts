import type { FastifyInstance } from "fastify";
import { permits } from "#api";
import type { Tokens } from "#auth";
import { ApiError, badRequest } from "./api-error.ts";
import { identityOf } from "./session.ts";

interface TokenBody {
  readonly name?: string;
  readonly scopes?: string[];
  /** Whom the token counts as in the Kubernetes API, and in which groups. */
  readonly user?: string;
  readonly groups?: string[];
  readonly lifetimeSeconds?: number;
}

export function tokenRoutes(app: FastifyInstance, tokens: Tokens, controlUrl: () => string): void {
  app.get("/tokens", async (request) => {
    requireAdmin(request);
    return { items: await tokens.list() };
  });
  app.post<{ Body: TokenBody | null }>("/tokens", async (request) => {
    requireAdmin(request);
    const { name, scopes = [], user, groups = [], lifetimeSeconds } = request.body ?? {};
    if (typeof name !== "string" || !Array.isArray(scopes)) {
      throw badRequest("A token needs a name and a list of scopes");
    }
    if (user === undefined && (!Array.isArray(groups) || groups.length > 0)) {
      throw badRequest("Groups are those of a user: name one");
    }
    const lifetime = lifetimeSeconds === undefined ? {} : { lifetimeMs: Number(lifetimeSeconds) * 1000 };
    const somebody = user === undefined ? {} : { user: { name: user, groups } };
    return await tokens.mint({ name, scopes, ...somebody, ...lifetime });
  });
  app.delete<{ Params: { id: string } }>("/tokens/:id", async (request) => {
    requireAdmin(request);
    await tokens.revoke(request.params.id);
    return {};
  });
  app.post("/login-codes", (request) => {
    const code = tokens.makeLoginCode(identityOf(request));
    return { url: `${controlUrl()}/login?code=${code}` };
  });
}

function requireAdmin(request: Parameters<typeof identityOf>[0]): void {
  const identity = identityOf(request);
  // Whoever may make tokens may make an admin one, so only an admin may.
  if (!identity.scopes.includes("admin") || !permits(identity, "api", "write")) {
    throw new ApiError("api/forbidden", "Only an admin token may see, make or revoke tokens");
  }
}
