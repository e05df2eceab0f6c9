/** Every HTTP face of the control process on one port, and the Kubernetes API on one of its own too. */
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import Fastify, { type FastifyInstance } from "fastify";
import { isPodReady, permits, pods, type SystemStatus } from "#api";
import { AppError, errorCode } from "#lib";
import { blobRoutes, cacheV1Routes, reportRoutes, twirpRoutes } from "#artifacts";
import { identityRoutes } from "#auth";
import { gitRoutes } from "#git";
import { kubeRoutes, type KubeRoutesOptions } from "#kube";
import { metricsRoutes } from "#metrics";
import { registryRoutes } from "#registry";
import { runnerRegistrationRoutes, workflowRoutes } from "#workflows";
import { consoleFiles } from "./api/console-files.ts";
import { forgeLinks } from "./rest/forge-links.ts";
import { graphqlRoutes } from "./graphql/graphql-routes.ts";
import { requestOrigin } from "./rest/request-origin.ts";
import { restRoutes, uploadRoutes } from "./rest/rest-routes.ts";
import { productRoutes } from "./api/product-routes.ts";
import { webhookRoutes } from "./api/webhook-routes.ts";
import { loginRoute } from "./api/session.ts";
import type { ServerContext } from "./context.ts";
import { type Endpoints, readEndpoints } from "./home.ts";
import { openKubeListener } from "./kube-listener.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { countRequests } from "./own-metrics.ts";
import { version } from "./version.ts";
import type { Rooms } from "./rooms.ts";
import { controlUrl, kubeUrl, namedServerUrl, publicUrl, registryHost, trafficUrl } from "./wiring/addresses.ts";
import { pushChecks } from "./wiring/push-checks.ts";
import { usagePort } from "./wiring/usage-port.ts";

class ListenError extends AppError<"server/port-taken"> {}

const failedStartMs = 10_000;

/** What no face of ours needs more of in one request, unless it says so itself (pushes, blobs). */
const bodyLimit = 4 * 1024 * 1024;

export async function listen(
  context: ServerContext,
  rooms: Rooms,
  stop: (dataPlane: boolean) => void,
  owned: AsyncDisposableStack,
): Promise<Endpoints> {
  const app = Fastify({
    bodyLimit,
    requestTimeout: 0,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 500 },
  });
  owned.defer(() => app.close());
  countRequests(app, rooms.ownMetrics);
  await registerFaces(app, context, rooms, stop);
  const kube = await openKubeListener(context, rooms, owned);
  countRequests(kube.app, rooms.ownMetrics, "kube");
  await kube.app.register(kubeRoutes(kubeOptions(context, rooms)));
  const { host } = context.config.control;
  const former = await readEndpoints(context.home);
  const wanted = context.config.control.port === 0 ? (former?.controlPort ?? 0) : context.config.control.port;
  let kubePort: number;
  try {
    await listenOn(app, host, wanted);
    kubePort = await kube.listen();
  } catch (error) {
    // Routers outlive a control process that was ready once; those of a first start that fails would be nobody's.
    if (former === undefined) await rooms.stopDataPlane(AbortSignal.timeout(failedStartMs));
    throw error;
  }
  const controlPort = (app.server.address() as AddressInfo).port;
  const trafficPort = rooms.routers.port;
  rooms.addresses.settle({ control: controlPort, traffic: trafficPort, kube: kubePort });
  const server = kubeUrl(rooms.addresses);
  const { adminToken: token, authority } = rooms;
  await writeKubeconfig(context.home.kubeconfig, { server, authority: authority.certificate, token });
  return { pid: process.pid, host, controlPort, trafficPort, kubePort };
}

async function listenOn(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    if (errorCode(error) !== "EADDRINUSE") throw error;
    const message = `Cannot listen on "${host}:${port}": the port is taken; choose another one with --port`;
    throw new ListenError("server/port-taken", message, { cause: error });
  }
}

function kubeOptions({ clock, log }: ServerContext, rooms: Rooms): KubeRoutesOptions {
  const { cluster, tokens, workloads, addresses } = rooms;
  const { logs, streams } = workloads;
  const url = (): string => kubeUrl(addresses);
  const usage = usagePort(workloads);
  return { cluster, access: tokens, logs, streams, usage, clock, log, version: version(), url };
}

async function registerFaces(
  app: FastifyInstance,
  context: ServerContext,
  rooms: Rooms,
  stop: (dataPlane: boolean) => void,
): Promise<void> {
  const { clock, log, signal } = context;
  const { tokens, repositories, registry, workflows, metrics } = rooms;
  const access = tokens;
  const runUrl = (id: string): string => `${publicUrl(rooms.addresses)}/runs/${id}`;
  healthRoutes(app, rooms);
  loginRoute(app, tokens);
  await app.register(consoleFiles(join(import.meta.dirname, "..", "..", "dist", "console"), tokens));
  await app.register(workflowRoutes({ workflows, access, log }), { prefix: "/api/tidegate/v1/runner" });
  const ports = (): readonly number[] => [rooms.addresses.controlPort];
  await app.register(runnerRegistrationRoutes(workflows, ports), { prefix: "/api/tidegate/v1/runner" });
  const product = { ...rooms, clock, ids: context.ids, log, signal, stop };
  const productOptions = {
    ...product,
    controlUrl: () => publicUrl(rooms.addresses),
    clusterAccess: () => ({ port: rooms.addresses.kubePort, authority: rooms.authority.certificate }),
    status: () => systemStatus(context, rooms),
  };
  await app.register(productRoutes(productOptions), { prefix: "/api/tidegate/v1" });
  const rest = {
    ...rooms,
    clock,
    ids: context.ids,
    log,
    signal,
    serverUrl: () => publicUrl(rooms.addresses),
    apiServer: () => requestOrigin() ?? controlUrl(rooms.addresses),
    publicUrl: rooms.addresses.publicUrl,
  };
  await app.register(restRoutes(rest), { prefix: "/api/v3" });
  await app.register(uploadRoutes(rest), { prefix: "/api/uploads" });
  await app.register(graphqlRoutes(rest), { prefix: "/api/graphql" });
  await app.register(forgeLinks(rest));
  await app.register(webhookRoutes({ ...rooms, log }), { prefix: "/api/tidegate/hooks" });
  await app.register(kubeRoutes(kubeOptions(context, rooms)), { prefix: "/kube" });
  await app.register(metricsRoutes({ metrics, access, clock }), { prefix: "/prometheus" });
  await app.register(registryRoutes({ registry, access, issuer: { secret: rooms.registryKey }, clock, log }));
  const actions = { service: rooms.artifacts, baseUrl: () => controlUrl(rooms.addresses) };
  await app.register(twirpRoutes(actions), { prefix: "/twirp" });
  await app.register(cacheV1Routes(actions), { prefix: "/_apis/artifactcache" });
  await app.register(reportRoutes(rooms.artifacts), { prefix: "/_apis/tidegate" });
  await app.register(blobRoutes(rooms.artifacts), { prefix: "/_blob" });
  const issuedFor = (owner: string): string =>
    `${rooms.addresses.publicUrl ?? namedServerUrl(rooms.addresses)}/${owner}`;
  identityRoutes(app, rooms.identities, issuedFor);
  const mirrorOf = async (name: string): Promise<string | undefined> => {
    const repository = await repositories.get(name);
    return repository === undefined ? undefined : (await rooms.forge.remotes.get(repository.id))?.url;
  };
  const checks = pushChecks({ clock, workflows, repositories, findings: rooms.findings, runUrl, mirrorOf });
  await app.register(gitRoutes({ repositories, access, checks, log }));
}

/** Health is open; own metrics need a token like everything else. */
function healthRoutes(app: FastifyInstance, rooms: Rooms): void {
  app.get("/healthz", () => ({ status: "ok" }));
  app.get("/metrics", async (request, reply) => {
    const identity = await rooms.tokens.authenticate(request.headers.authorization);
    if (identity === undefined || !permits(identity, "metrics", "read")) {
      return reply.code(401).header("www-authenticate", "Bearer").send("A token with metrics:read is needed\n");
    }
    return reply.type("text/plain; version=0.0.4; charset=utf-8").send(rooms.ownMetrics.expose());
  });
}

async function systemStatus(context: ServerContext, rooms: Rooms): Promise<SystemStatus> {
  const { addresses, routers, informers, workflows, repositories } = rooms;
  const all = informers.for(pods).list();
  const routerStatus = await routers.status(AbortSignal.any([context.signal, AbortSignal.timeout(1000)]));
  return {
    version: version(),
    startedAt: context.startedAt,
    addresses: {
      control: controlUrl(addresses),
      traffic: trafficUrl(addresses),
      kubernetes: kubeUrl(addresses),
      registry: registryHost(addresses),
    },
    processes: [
      { name: "control", pid: process.pid, state: "running" },
      ...routerStatus.map(({ pid }) => ({ name: "router", pid, state: "running" }) as const),
      ...workflows.runners().map(({ name }) => ({ name: "runner", label: name, state: "running" }) as const),
    ],
    pods: { total: all.length, ready: all.filter(isPodReady).length },
    repositories: (await repositories.list()).length,
  };
}
