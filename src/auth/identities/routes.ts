/** The issuer's faces: for relying parties what every OpenID issuer has, for jobs the address they ask at. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { AuthError } from "../errors.ts";
import type { JobIdentities } from "./job-identities.ts";

/** Clients append `&audience=…`, so the address they are given has a query already. */
export const idTokenPath = "/api/actions/oidc/token?api-version=2.0";

export function identityRoutes(
  app: FastifyInstance,
  identities: JobIdentities,
  ownerUrl: (owner: string) => string,
): void {
  app.get("/.well-known/openid-configuration", () => identities.configuration());
  app.get("/.well-known/jwks", () => identities.keySet());
  app.get(
    "/api/actions/oidc/token",
    async (request: FastifyRequest<{ Querystring: { audience?: unknown } }>, reply) => {
      const { audience } = request.query;
      try {
        const named = typeof audience === "string" ? audience : undefined;
        const value = await identities.identityToken(request.headers.authorization, named, ownerUrl);
        if (value !== undefined) return { value };
        return await reply
          .code(401)
          .send({ message: "The request token is not that of a running job with id-token: write" });
      } catch (error) {
        if (error instanceof AuthError) return await reply.code(400).send({ message: error.message });
        throw error;
      }
    },
  );
}
