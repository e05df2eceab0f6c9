/** Who one is, what this server is, and that it counts no requests. */
import type { FastifyInstance } from "fastify";
import { forbidden, isJob, whoAsks, type RestParts } from "./face.ts";
import { userShape } from "./people.ts";

/** What this server does not limit; GitHub's clients want numbers. */
const plenty = 1_000_000;
const windowSeconds = 3600;

export function accountRoutes(app: FastifyInstance, { clock, serverUrl }: RestParts): void {
  app.get("/user", async (request) => {
    const identity = whoAsks(request);
    // The token of a job is nobody's.
    if (isJob(identity)) throw forbidden(identity);
    await Promise.resolve();
    return { ...userShape(identity.name, serverUrl()), name: identity.name, email: null };
  });
  app.get<{ Params: { name: string } }>("/users/:name", (request) => ({
    ...userShape(request.params.name, serverUrl()),
    name: request.params.name,
    email: null,
  }));
  app.get("/rate_limit", () => {
    const reset = Math.floor(clock.now().epochMilliseconds / 1000) + windowSeconds;
    const rate = { limit: plenty, used: 0, remaining: plenty, reset };
    return { resources: { core: rate, search: rate, graphql: rate }, rate };
  });
  // The server that clients of GitHub are to take this for, by the version of its API.
  app.get("/meta", () => ({ verifiable_password_authentication: false, installed_version: "3.17.0" }));
  app.get("/", () => ({
    current_user_url: `${serverUrl()}/api/v3/user`,
    repository_url: `${serverUrl()}/api/v3/repos/{owner}/{repo}`,
    rate_limit_url: `${serverUrl()}/api/v3/rate_limit`,
  }));
}
