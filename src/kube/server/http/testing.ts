/** The Kubernetes API over an empty cluster in memory, for tests. */
import type { TestContext } from "node:test";
import fastify, { type FastifyInstance } from "fastify";
import type { AccessPort } from "#api";
import { silentLog, systemClock, systemIds } from "#lib";
import { openEmbeddedCluster } from "../../client/embedded-cluster.ts";
import { kubeRoutes } from "./kube-routes.ts";

/** May do everything. */
export const token = "test-token";
/** May read. */
export const reader = "reader-token";

const access: AccessPort = {
  authenticate(authorization) {
    const basic = /^Basic (.+)$/.exec(authorization ?? "")?.[1];
    const given = basic === undefined ? authorization?.replace(/^Bearer /, "") : atob(basic).split(":")[1];
    if (given === token) return Promise.resolve({ name: "admin", scopes: ["admin"] });
    if (given === reader) return Promise.resolve({ name: "reader", scopes: ["kube:read"] });
    return Promise.resolve(undefined);
  },
};

/** Mounted at /kube, not listening; closed after the test. */
export async function startFace(t: TestContext): Promise<FastifyInstance> {
  const cluster = openEmbeddedCluster({ file: ":memory:", clock: systemClock, ids: systemIds, log: silentLog });
  const app = fastify({ forceCloseConnections: true });
  async function* lines(container: string | undefined): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`hello from ${container}\n`);
    await Promise.resolve();
  }
  const logs = { logs: (_pod: unknown, options: { container?: string }) => Promise.resolve(lines(options.container)) };
  await app.register(kubeRoutes({ cluster, access, logs, clock: systemClock, log: silentLog, version: "0" }), {
    prefix: "/kube",
  });
  t.after(async () => {
    await app.close();
    await cluster[Symbol.asyncDispose]();
  });
  return app;
}
