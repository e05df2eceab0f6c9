/** The built console, served as files; every other path of it is a page of the one-page application. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

const pagePaths = [
  "/",
  "/deliveries",
  "/runs",
  "/runs/*",
  "/applications",
  "/applications/*",
  "/rollouts",
  "/rollouts/*",
] as const;
const policy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

export async function consoleFiles(app: FastifyInstance, folder: string): Promise<void> {
  const index = join(folder, "index.html");
  if (existsSync(folder)) {
    await app.register(fastifyStatic, {
      root: join(folder, "assets"),
      prefix: "/assets/",
      immutable: true,
      maxAge: "365d",
      decorateReply: false,
    });
  }
  for (const path of pagePaths) {
    app.get(path, async (_request, reply) => {
      if (!existsSync(index)) {
        return reply.code(503).type("text/plain").send("The console is not built: run npm start, which builds it\n");
      }
      const headers = {
        "cache-control": "no-cache",
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
      };
      return reply
        .headers(headers)
        .type("text/html; charset=utf-8")
        .send(await readFile(index));
    });
  }
}
