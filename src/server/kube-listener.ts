/**
 * The Kubernetes API on a port of its own, over TLS, with nothing before its paths: clients send bearer tokens only over
 * TLS, and clients inside a cluster know a host and a port but no path.
 */
import { Server } from "node:https";
import type { AddressInfo } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import Fastify, { type FastifyInstance } from "fastify";
import { AppError, errorCode } from "#lib";
import type { ServerContext } from "./context.ts";
import { readEndpoints } from "./home.ts";
import { keepGoing } from "./keep-going.ts";
import type { Rooms } from "./rooms.ts";
import { certificateNames } from "./wiring/certificate-names.ts";

class ListenError extends AppError<"server/port-taken"> {}

/**
 * Go clients keep a connection that nobody uses for 90 s. A server that closes first takes a request with it now and then,
 * which they do not repeat unless it only reads.
 */
const keepAliveMs = 180_000;

/** A certificate is looked at this often at least: a machine may sleep through the moment it is due. */
const lookAtLeastMs = 24 * 3_600_000;

export interface KubeListener {
  readonly app: FastifyInstance;
  /** Binds the port, and returns it. Throws when it is taken. */
  listen(): Promise<number>;
}

/** Register the faces on `app`, then listen. */
export async function openKubeListener(
  context: ServerContext,
  { authority }: Pick<Rooms, "authority">,
  owned: AsyncDisposableStack,
): Promise<KubeListener> {
  const { config, home, clock, tasks, log } = context;
  const { host } = config.kube;
  const names = certificateNames({
    host,
    hostName: hostname(),
    interfaces: Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []),
    more: config.kube.names,
  });
  let credentials = await authority.serverCredentials(names);
  const server = new Server({ key: credentials.key, cert: credentials.certificate, minVersion: "TLSv1.2" });
  server.keepAliveTimeout = keepAliveMs;
  const app = Fastify({
    serverFactory: (handler) => server.on("request", handler),
    requestTimeout: 0,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 500 },
  });
  owned.defer(() => app.close());

  async function renew(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const dueMs = credentials.renewAt.epochMilliseconds - clock.now().epochMilliseconds;
      await clock.sleep(Math.min(Math.max(dueMs, 1000), lookAtLeastMs), signal);
      const next = await authority.serverCredentials(names);
      if (next.certificate === credentials.certificate) continue;
      // Connections go on with what they began with; new ones get the new certificate.
      server.setSecureContext({ key: next.key, cert: next.certificate, minVersion: "TLSv1.2" });
      credentials = next;
      log.info("The Kubernetes API has a new certificate", { renewAt: next.renewAt.toString() });
    }
  }

  return {
    app: app as unknown as FastifyInstance,
    async listen() {
      const former = await readEndpoints(home);
      const port = config.kube.port === 0 ? (former?.kubePort ?? 0) : config.kube.port;
      try {
        await app.listen({ host, port });
      } catch (error) {
        if (errorCode(error) !== "EADDRINUSE") throw error;
        const message = `Cannot listen on "${host}:${port}": the port is taken; choose another one with --kube-port`;
        throw new ListenError("server/port-taken", message, { cause: error });
      }
      tasks.start("kubernetes certificate", (signal) => keepGoing("kubernetes certificate", renew, context, signal));
      return (server.address() as AddressInfo).port;
    },
  };
}
