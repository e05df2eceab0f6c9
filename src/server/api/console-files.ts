/**
 * The built console, served as files; every other path of it is a page of the one-page application. Like everything but
 * health it answers only those who are logged in.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyPluginAsync } from "fastify";
import type { Tokens } from "#auth";
import { whoAsks } from "./session.ts";

const pagePaths = [
  "/",
  "/deliveries",
  "/runs",
  "/runs/*",
  "/pulls",
  "/pulls/*",
  "/applications",
  "/applications/*",
  "/rollouts",
  "/rollouts/*",
] as const;
const policy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

const loginHint = `<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Tidegate</title>
<body style="font:16px/1.5 system-ui;max-width:34rem;margin:15vh auto;padding:0 1rem"><h1 style="font-size:1.3rem">Log in</h1>
<p>This console opens with a link that the command line makes for you:</p><pre>tidegate token login</pre></body>`;

/** To be registered as a plugin: the check of who asks is for these paths only. */
export function consoleFiles(folder: string, tokens: Tokens): FastifyPluginAsync {
  return async (app) => {
    app.addHook("onRequest", async (request, reply) => {
      if ((await whoAsks(request, tokens)) !== undefined) return;
      await reply.code(401).type("text/html; charset=utf-8").send(loginHint);
    });
    await servePages(app, folder);
  };
}

async function servePages(app: FastifyInstance, folder: string): Promise<void> {
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
