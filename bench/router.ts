/**
 * Our router against HAProxy: the same backend, the same load, in turns, and the CPU each spends on a request.
 * `node bench/router.ts [rounds]`; needs `haproxy` and `wrk` on the PATH.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serviceNameLabel, type EndpointSlice, type Service } from "#api";
import { silentLog, systemClock } from "#lib";
import { planRoutingTable, startRouters } from "#router";

const host = "web.bench.localhost";
const seconds = 2;
/** The tools compared and measured with; they come from the system, not from npm. */
const tools = { rival: "haproxy", load: "wrk" };
/** Of Linux: `getconf CLK_TCK`. */
const ticksPerSecond = 100;

if (process.argv[2] === "backend") runBackend();
else await compare(Number(process.argv[2] ?? 3));

/** Answers every head with 200 bytes; a real server would be the slowest part of the measurement. */
function runBackend(): void {
  const answer = Buffer.from(
    `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 200\r\n\r\n${"x".repeat(200)}`,
  );
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("data", () => socket.write(answer));
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
  process.once("disconnect", () => process.exit(0));
}

interface Sample {
  readonly requestsPerSecond: number;
  readonly cpuMicroseconds: number;
  readonly failed: number;
}

async function compare(rounds: number): Promise<void> {
  for (const tool of Object.values(tools)) {
    if (spawnSync(tool, ["-v"]).error === undefined) continue;
    console.error(`Cannot compare: "${tool}" is not on the PATH: install it and try again`);
    process.exitCode = 1;
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), "bench-router-"));
  const signal = AbortSignal.timeout(120_000);
  const backend = spawn(process.execPath, [import.meta.filename, "backend"], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [backendPort] = (await once(backend, "message")) as [number];
  const routers = await startRouters({
    folder,
    count: 1,
    listen: { host: "127.0.0.1", port: 0 },
    nodePath: process.execPath,
    log: silentLog,
    clock: systemClock,
    drainMs: 2000,
    signal,
  });
  const rival = await startHaproxy(folder, backendPort);
  try {
    await routers.apply(planRoutingTable(observed(backendPort)), signal);
    const [status] = await routers.status(signal);
    const contestants = [
      { name: "tidegate", port: routers.port, pid: status?.pid ?? 0 },
      { name: "haproxy", port: rival.port, pid: rival.process.pid ?? 0 },
    ];
    const samples = new Map<string, Sample[]>(contestants.map(({ name }) => [name, []]));
    for (const { port, pid } of contestants) await measure(port, pid);
    for (let round = 0; round < rounds; round++)
      for (const { name, port, pid } of contestants) samples.get(name)?.push(await measure(port, pid));
    report(samples);
  } finally {
    rival.process.kill();
    await routers.stop();
    backend.disconnect();
    await rm(folder, { recursive: true, force: true });
  }
}

function observed(port: number): Parameters<typeof planRoutingTable>[0] {
  const metadata = { name: "web", namespace: "bench", labels: { [serviceNameLabel]: "web" } };
  const service: Service = { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ port: 80 }] } };
  const slice: EndpointSlice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata,
    addressType: "IPv4",
    ports: [{ port }],
    endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
  };
  const none = { pods: [], ingresses: [], trafficSplits: [] };
  return { generation: 1, services: [service], endpointSlices: [slice], ...none };
}

async function startHaproxy(folder: string, backendPort: number): Promise<{ process: ChildProcess; port: number }> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  const config = join(folder, "haproxy.cfg");
  const lines = [
    "global\n  nbthread 1",
    "defaults\n  mode http\n  timeout connect 2s\n  timeout client 75s\n  timeout server 60s\n  option forwardfor",
    `frontend in\n  bind 127.0.0.1:${port}\n  use_backend web if { hdr(host) -i ${host} }`,
    `backend web\n  http-reuse always\n  server one 127.0.0.1:${backendPort}\n`,
  ];
  await writeFile(config, lines.join("\n"));
  const child = spawn(tools.rival, ["-db", "-f", config], { stdio: "ignore" });
  await once(child, "spawn");
  await systemClock.sleep(500, AbortSignal.timeout(5000));
  return { process: child, port };
}

async function measure(port: number, pid: number): Promise<Sample> {
  const before = await cpuSeconds(pid);
  const wrk = spawn(tools.load, ["-t1", "-c64", `-d${seconds}s`, "-H", `Host: ${host}`, `http://127.0.0.1:${port}/`]);
  let text = "";
  wrk.stdout.on("data", (part: Buffer) => (text += part.toString()));
  await once(wrk, "close");
  const cpu = (await cpuSeconds(pid)) - before;
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
  const failed = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  return { requestsPerSecond: requests / seconds, cpuMicroseconds: (cpu * 1e6) / Math.max(requests, 1), failed };
}

/** User and kernel time of the process, proc(5). */
async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function report(samples: ReadonlyMap<string, readonly Sample[]>): void {
  const middle = (name: string, value: (sample: Sample) => number): number => {
    const sorted = (samples.get(name) ?? []).map(value).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  for (const [name, own] of samples) {
    const cpu = middle(name, (sample) => sample.cpuMicroseconds).toFixed(1);
    const rate = Math.round(middle(name, (sample) => sample.requestsPerSecond));
    const failed = own.reduce((sum, sample) => sum + sample.failed, 0);
    console.log(`${name}: ${cpu} µs CPU a request, ${rate} requests/s, ${failed} failed (median of ${own.length})`);
  }
  const cpu = middle("haproxy", (s) => s.cpuMicroseconds) / middle("tidegate", (s) => s.cpuMicroseconds);
  const rate = middle("tidegate", (s) => s.requestsPerSecond) / middle("haproxy", (s) => s.requestsPerSecond);
  console.log(
    `ratio: ${cpu.toFixed(2)} by CPU (HAProxy ÷ ours), ${rate.toFixed(2)} by requests/s (ours ÷ HAProxy); above 1 we lead`,
  );
}
