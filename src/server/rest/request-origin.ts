/**
 * By which address a request came: what is in front of this server, or its own. Who asks by one may not reach the other,
 * so links to go on by, such as the next page, name the one they came by.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { FastifyInstance } from "fastify";

const origins = new AsyncLocalStorage<string>();

/** Of the request that is answered now; undefined: this server's own. */
export function requestOrigin(): string | undefined {
  return origins.getStore();
}

/** Proxies that write their own `Host` say the former one in `X-Forwarded-Host`. */
export function noteOrigin(app: FastifyInstance, publicUrl: string | undefined): void {
  if (publicUrl === undefined) return;
  const { host } = new URL(publicUrl);
  app.addHook("onRequest", (request, _reply, done) => {
    const named = request.headers["x-forwarded-host"] ?? request.headers.host;
    if (named === host) origins.run(publicUrl, done);
    else done();
  });
}
