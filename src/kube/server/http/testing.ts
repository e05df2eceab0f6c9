/** The Kubernetes API over an empty cluster in memory, for tests. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import fastify, { type FastifyInstance } from "fastify";
import type { AccessPort } from "#api";
import { runCommand, silentLog, systemClock, systemIds } from "#lib";
import { type EmbeddedClusterOptions, openEmbeddedCluster } from "../../client/embedded-cluster.ts";
import { KubeError } from "../../client/kube-error.ts";
import type { PodStreamPort } from "../../ports.ts";
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

/** Of a cluster without containers. */
export const noStreams: PodStreamPort = {
  requireRunning(_pod, container) {
    throw new KubeError("NotFound", `container not found ("${container}")`);
  },
  exec: () => Promise.reject(new Error("no container runs here")),
  attach: () => Promise.reject(new Error("no container runs here")),
  connect: () => Promise.reject(new Error("no container runs here")),
};

/** Mounted at /kube, not listening; closed after the test. */
export async function startFace(
  t: TestContext,
  streams: PodStreamPort = noStreams,
  more: Partial<EmbeddedClusterOptions> = {},
): Promise<FastifyInstance> {
  const cluster = openEmbeddedCluster({
    file: ":memory:",
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
    ...more,
  });
  const app = fastify({ forceCloseConnections: true });
  async function* lines(container: string | undefined): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`hello from ${container}\n`);
    await Promise.resolve();
  }
  const logs = { logs: (_pod: unknown, options: { container?: string }) => Promise.resolve(lines(options.container)) };
  await app.register(kubeRoutes({ cluster, access, logs, streams, clock: systemClock, log: silentLog, version: "0" }), {
    prefix: "/kube",
  });
  t.after(async () => {
    await app.close();
    await cluster[Symbol.asyncDispose]();
  });
  return app;
}

/** Returns what it printed, on both streams. */
export type Kubectl = (args: readonly string[], stdin?: string) => Promise<string>;

/** Undefined, with the reason printed, where there is no kubectl; CI must have one. */
export async function startKubectl(t: TestContext, environment: NodeJS.ProcessEnv): Promise<Kubectl | undefined> {
  if (spawnSync("kubectl", ["version", "--client"]).status !== 0) {
    assert.equal(environment["CI"], undefined, "CI must have kubectl");
    t.skip("kubectl is not on the PATH");
    return undefined;
  }
  const app = await startFace(t);
  const address = new URL(await app.listen({ port: 0, host: "127.0.0.1" }));
  const folder = await mkdtemp(join(tmpdir(), "tidegate-kubectl-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, "config");
  // kubectl sends no bearer token over plain HTTP; credentials in the URL it does send.
  const server = `http://tidegate:${token}@${address.host}/kube`;
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "t", cluster: { server } }],
    contexts: [{ name: "t", context: { cluster: "t", user: "t" } }],
    users: [{ name: "t", user: {} }],
    "current-context": "t",
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  return async (args, stdin) => {
    const result = await runCommand("kubectl", ["--cache-dir", join(folder, "cache"), ...args], {
      signal: AbortSignal.timeout(30_000),
      env: { PATH: environment["PATH"] ?? "", HOME: folder, KUBECONFIG: kubeconfig },
      ...(stdin === undefined ? {} : { input: stdin }),
    });
    return `${result.stdout.toString()}${result.stderr}`.trim();
  };
}
