import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { test } from "node:test";
import type { Probe } from "#api";
import type { PodRuntimePort } from "../ports.ts";
import { healthStatus, requestMessage } from "./grpc-look.ts";
import type { ProbeResult, ProbeTarget } from "./probe-target.ts";
import { runProbe } from "./run-probe.ts";

const signal = AbortSignal.timeout(30_000);

function targetAt(port: number, exec?: PodRuntimePort["exec"]): ProbeTarget {
  return {
    record: { id: "u_app_0" } as ProbeTarget["record"],
    runtime: { exec } as PodRuntimePort,
    host: "127.0.0.1",
    port: (wanted) => (wanted === "none" ? undefined : port),
  };
}

async function look(probe: Probe, port = 0, exec?: PodRuntimePort["exec"]): Promise<ProbeResult> {
  return await runProbe(probe, targetAt(port, exec), signal);
}

function portOf(server: { address(): unknown }): number {
  return (server.address() as AddressInfo).port;
}

async function serving(listener: RequestListener): Promise<{ server: Server; port: number } & AsyncDisposable> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    server,
    port: portOf(server),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

const answers: { status: number; want: ProbeResult }[] = [
  { status: 200, want: { ok: true } },
  { status: 204, want: { ok: true } },
  { status: 400, want: { ok: false, message: "HTTP probe failed with statuscode: 400" } },
  { status: 500, want: { ok: false, message: "HTTP probe failed with statuscode: 500" } },
];
for (const { status, want } of answers) {
  test(`an answer ${status} ${want.ok ? "is a success" : "is a failure without the body"}`, async () => {
    await using subject = await serving((_request, response) => response.writeHead(status).end());
    assert.deepEqual(await look({ httpGet: { path: "/healthz", port: 80 } }, subject.port), want);
  });
}

test("a probe sends its own headers and kubelet's, and names the host it was told", async () => {
  let seen: Record<string, unknown> = {};
  await using subject = await serving((request, response) => {
    seen = { ...request.headers, url: request.url };
    response.end();
  });
  const httpHeaders = [
    { name: "Host", value: "shop.example" },
    { name: "X-Team", value: "a" },
    { name: "X-Team", value: "b" },
  ];
  await look({ httpGet: { path: "/a?b=c", port: 80, httpHeaders } }, subject.port);
  const { host, accept, url } = seen;
  assert.deepEqual({ host, accept, url }, { host: "shop.example", accept: "*/*", url: "/a?b=c" });
  assert.equal(seen["x-team"], "a, b");
  assert.match(String(seen["user-agent"]), /^kube-probe\//);
});

test("a redirect is followed on its host; one that leads elsewhere is a success with a warning", async () => {
  await using subject = await serving((request, response) => {
    if (request.url === "/here") response.writeHead(302, { location: "/broken" }).end();
    else if (request.url === "/away") response.writeHead(302, { location: "http://elsewhere.test/" }).end("gone");
    else if (request.url === "/round") response.writeHead(302, { location: "/round" }).end();
    else response.writeHead(503).end();
  });
  const at = async (path: string): Promise<ProbeResult> => await look({ httpGet: { path, port: 80 } }, subject.port);
  assert.deepEqual(await at("/here"), { ok: false, message: "HTTP probe failed with statuscode: 503" });
  assert.deepEqual(await at("/away"), { ok: true, warning: "Probe terminated redirects, Response body: gone" });
  const round = await at("/round");
  assert.match(round.ok ? "" : round.message, /stopped after 10 redirects$/);
});

test("silence and refusal are told as kubelet tells them", async () => {
  await using silent = await serving(() => {});
  const probe = { httpGet: { path: "/", port: 80 }, timeoutSeconds: 1 };
  const late = await look(probe, silent.port);
  const url = `http://127.0.0.1:${silent.port}/`;
  const message = `Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`;
  assert.deepEqual(late, { ok: false, message });
  const refused = await look(probe, 1);
  const why = 'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused';
  assert.deepEqual(refused, { ok: false, message: why });
});

test("a TCP probe asks for a connection and no more", async () => {
  const server = createTcpServer((socket) => socket.on("error", () => {}));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  assert.deepEqual(await look({ tcpSocket: { port: 1 } }, port), { ok: true });
  server.close();
  await once(server, "close");
  const closed = await look({ tcpSocket: { port: 1 } }, port);
  assert.deepEqual(closed, { ok: false, message: `dial tcp 127.0.0.1:${port}: connect: connection refused` });
  const unknown = await look({ tcpSocket: { port: "none" } }, port);
  assert.deepEqual(unknown, { ok: false, message: "couldn't find port: none" });
});

test("a command's exit code is its answer, its output the reason", async () => {
  const exec =
    (exitCode: number): PodRuntimePort["exec"] =>
    () =>
      Promise.resolve({ exitCode, output: "no such file\n" });
  assert.deepEqual(await look({ exec: { command: ["test"] } }, 0, exec(0)), { ok: true });
  assert.deepEqual(await look({ exec: { command: ["test"] } }, 0, exec(1)), { ok: false, message: "no such file\n" });
  const hangs: PodRuntimePort["exec"] = () => Promise.reject(new DOMException("late", "TimeoutError"));
  const late = await look({ exec: { command: ["sleep", "9"] }, timeoutSeconds: 2 }, 0, hangs);
  assert.deepEqual(late, { ok: false, message: 'command timed out: "sleep 9" timed out after 2s' });
});

interface GrpcAnswer {
  readonly status?: number;
  readonly code?: number;
  readonly message?: string;
}

async function grpcServer(
  answers: Readonly<Record<string, GrpcAnswer>>,
): Promise<{ server: Http2Server; port: number }> {
  const server = createHttp2Server();
  server.on("stream", (stream: ServerHttp2Stream) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const request = Buffer.concat(chunks);
      const { status = 0, code = 0, message = "" } = answers[request.subarray(7).toString("utf8")] ?? { code: 5 };
      const headers = { ":status": 200, "content-type": "application/grpc" };
      if (code !== 0) {
        stream.respond({ ...headers, "grpc-status": String(code), "grpc-message": message }, { endStream: true });
        return;
      }
      stream.respond(headers, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, status]));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: portOf(server) };
}

test("a gRPC service says by grpc.health.v1 whether it serves", async () => {
  const { server, port } = await grpcServer({
    "": { status: 1 },
    orders: { status: 2 },
    old: { code: 12, message: "unknown service grpc.health.v1.Health" },
    broken: { code: 13, message: "it%20broke" },
  });
  const ask = async (service?: string): Promise<ProbeResult> =>
    await look({ grpc: { port: 1, ...(service === undefined ? {} : { service }) } }, port);
  assert.deepEqual(await ask(), { ok: true });
  assert.deepEqual(await ask("orders"), { ok: false, message: 'service unhealthy (responded with "NOT_SERVING")' });
  const unimplemented =
    "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service grpc.health.v1.Health";
  assert.deepEqual(await ask("old"), { ok: false, message: unimplemented });
  const internal = "error: health rpc probe failed: rpc error: code = Internal desc = it broke";
  assert.deepEqual(await ask("broken"), { ok: false, message: internal });
  server.close();
  await once(server, "close");
  const refused = await ask();
  const why = `error: failed to connect service at "127.0.0.1:${port}": dial tcp 127.0.0.1:${port}: connect: connection refused`;
  assert.deepEqual(refused, { ok: false, message: why });
});

test("a long service name has a length of two bytes", () => {
  const message = requestMessage("s".repeat(200));
  assert.deepEqual([...message.subarray(0, 8)], [0, 0, 0, 0, 203, 0x0a, 0xc8, 0x01]);
  assert.equal(healthStatus(Buffer.alloc(5)), 0);
});
