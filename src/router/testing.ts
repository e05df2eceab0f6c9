/** For tests of this room only: tables, backends and clients with as little ceremony as possible. */
import { once } from "node:events";
import {
  createServer,
  request,
  type Agent,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from "node:http";
import { connect, type AddressInfo, type Server as NetServer } from "node:net";
import { silentLog } from "#lib";
import { Proxy } from "./proxy/proxy.ts";
import { defaultProxySettings, type ProxySettings } from "./proxy/settings.ts";
import { everyRevision, type EndpointGroup, type RoutingTable } from "./table/routing-table.ts";

export const testHost = "web.shop.localhost";

export interface TestGroup {
  readonly revision?: string;
  readonly weight?: number;
  readonly ports: readonly number[];
}

/** One service, `web` in `shop`, on every host named `web.shop.localhost`. */
export function tableFor(generation: number, groups: readonly TestGroup[]): RoutingTable {
  const backend = "shop/web:80";
  const liveGroups = groups.map(({ revision, weight = 1, ports }): EndpointGroup => ({
    key: revision ?? everyRevision,
    weight,
    endpoints: ports.map((port) => ({ ip: "127.0.0.1", port, revision: revision ?? "", pod: `pod-${port}` })),
  }));
  return {
    generation,
    backends: [{ key: backend, namespace: "shop", service: "web", port: 80, groups: liveGroups }],
    hosts: [{ host: testHost, paths: [{ path: "/", type: "Prefix", backend }] }],
    splits: [],
  };
}

export interface TestBackend extends AsyncDisposable {
  readonly port: number;
  readonly server: Server;
}

export async function startBackend(listener: RequestListener, port = 0): Promise<TestBackend> {
  const server = createServer(listener);
  await listenOn(server, port);
  return { server, port: portOf(server), [Symbol.asyncDispose]: () => closeServer(server) };
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  if (!server.listening) return;
  server.close();
  await once(server, "close");
}

export async function listenOn(server: NetServer | Server, port = 0): Promise<void> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
}

export function portOf(server: NetServer | Server): number {
  return (server.address() as AddressInfo).port;
}

/** The data plane inside the test's process. */
export async function startProxy(
  table: RoutingTable,
  settings: Partial<ProxySettings> = {},
): Promise<Proxy & { port: number }> {
  const proxy = new Proxy({ ...defaultProxySettings, ...settings }, silentLog);
  proxy.swap(table);
  const port = await proxy.listen({ host: "127.0.0.1", port: 0, reusePort: false });
  return Object.assign(proxy, { port });
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface TestRequest {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}

/** Rejects when the connection breaks before the answer is whole. */
export async function ask(port: number, options: TestRequest = {}): Promise<TestAnswer> {
  const { path = "/", method = "GET", headers, body, agent } = options;
  const outgoing = request({
    host: "127.0.0.1",
    port,
    path,
    method,
    headers: { host: testHost, ...headers },
    agent: agent ?? false,
  });
  outgoing.end(body);
  const answered = Promise.withResolvers<TestAnswer>();
  outgoing.on("error", answered.reject);
  outgoing.on("response", (response) => {
    const parts: Buffer[] = [];
    response.on("data", (part: Buffer) => parts.push(part));
    response.on("error", answered.reject);
    response.on("end", () => {
      const text = Buffer.concat(parts).toString();
      answered.resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
    });
  });
  return answered.promise;
}

/** Sends exactly these bytes and returns everything that comes back until the other side ends or `until` matches. */
export async function talk(port: number, parts: readonly string[], until?: RegExp): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
  await once(socket, "connect");
  const { promise, resolve } = Promise.withResolvers<void>();
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    if (until?.test(text) === true) resolve();
  });
  socket.on("error", () => resolve());
  socket.on("end", () => resolve());
  for (const part of parts) {
    if (socket.writable) socket.write(part, "latin1");
    await new Promise((next) => setImmediate(next));
  }
  await promise;
  socket.destroy();
  return text;
}

/** Samples of one metric as `labels → value`. */
export function samples(exposition: string, name: string): ReadonlyMap<string, number> {
  const lines = exposition.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return new Map(
    lines.map((line) => {
      const blank = line.lastIndexOf(" ");
      return [line.slice(name.length, blank), Number(line.slice(blank + 1))];
    }),
  );
}
