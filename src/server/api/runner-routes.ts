/** Runners: who there is, who may become one, and whose jobs each group takes. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { isObject } from "#lib";
import type { Workflows } from "#workflows";
import { ApiError } from "./api-error.ts";
import { identityOf } from "./session.ts";

export function runnerRoutes(app: FastifyInstance, { workflows }: { readonly workflows: Workflows }): void {
  const { registered, desk } = workflows;
  app.get("/runners", async () => ({ items: await workflows.allRunners() }));
  app.post<{ Body: unknown }>("/runners/tokens", async (request) => {
    requireAdmin(request);
    const group = isObject(request.body) ? request.body["group"] : undefined;
    return await registered.invite(typeof group === "string" && group !== "" ? group : undefined);
  });
  app.delete<{ Params: { id: string } }>("/runners/:id", async (request) => {
    requireAdmin(request);
    await registered.remove(request.params.id);
    desk.roster.forget(request.params.id);
    // Its claim that waits is looked at again, and refused.
    workflows.driver.offer();
    return {};
  });
  app.get("/runner-groups", async () => ({ items: await desk.groups.list() }));
  app.put<{ Params: { name: string }; Body: unknown }>("/runner-groups/:name", async (request) => {
    requireAdmin(request);
    const repositories = isObject(request.body) ? request.body["repositories"] : undefined;
    const group = await desk.groups.set(request.params.name, repositories);
    workflows.driver.offer();
    return group;
  });
  app.delete<{ Params: { name: string } }>("/runner-groups/:name", async (request) => {
    requireAdmin(request);
    await desk.groups.remove(request.params.name);
    workflows.driver.offer();
    return {};
  });
}

function requireAdmin(request: FastifyRequest): void {
  if (identityOf(request).scopes.includes("admin")) return;
  throw new ApiError("api/forbidden", "This token may not change runners: it needs the scope admin");
}
