/** Where a runner on another machine registers itself; to be mounted beside the runner protocol. */
import type { FastifyPluginAsync } from "fastify";
import type { Workflows } from "../run/workflows.ts";
import type { RegisterRequest } from "./registered-runners.ts";

const short = { type: "string", minLength: 1, maxLength: 255 } as const;

const registerSchema = {
  type: "object",
  required: ["name", "labels"],
  properties: {
    name: { ...short, maxLength: 100 },
    labels: { type: "array", maxItems: 100, items: short },
    ephemeral: { type: "boolean" },
    replace: { type: "boolean" },
  },
} as const;

/** @param ports on loopback by which jobs know this server: the runner makes them lead here */
export function runnerRegistrationRoutes(workflows: Workflows, ports: () => readonly number[]): FastifyPluginAsync {
  return async (server) => {
    server.route<{ Body: RegisterRequest }>({
      method: "POST",
      url: "/register",
      bodyLimit: 64 * 1024,
      schema: { body: registerSchema },
      async handler(request, reply) {
        const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
        const made = await workflows.registered.register(token, request.body);
        if (made.kind === "registered") {
          const { kind: _kind, ...registration } = made;
          return { ...registration, ports: ports() };
        }
        if (made.kind === "name-taken") {
          const message = `There is a runner "${request.body.name}" already. Choose another --name, or --replace it; the token is still good`;
          return await reply.code(409).send({ error: { code: "workflows/not-possible-now", message } });
        }
        const message =
          "The registration token is not known: it was used, or is over an hour old. Make one with tidegate runner token";
        return await reply.code(401).send({ error: { code: "workflows/unauthenticated", message } });
      },
    });
    await Promise.resolve();
  };
}
