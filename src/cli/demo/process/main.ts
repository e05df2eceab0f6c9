/**
 * The demo's customers: a process of their own that keeps real HTTP traffic on the shop. Configuration comes as one line
 * of JSON on standard input, at whose end it stops; each request is reported as one line on standard output.
 *
 * Until the shop has answered once, nothing is reported: before its first release there is no shop to fail.
 */
import { Agent, request } from "node:http";
import { systemClock, systemIds } from "#lib";
import type { RequestReport } from "../traffic-log.ts";

interface TrafficConfig {
  readonly host: string;
  readonly port: number;
  readonly hostHeader: string;
  readonly paths: readonly string[];
  readonly requestsPerSecond: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 32 });
const stop = new AbortController();

async function main(): Promise<void> {
  const config = JSON.parse(await firstLine()) as TrafficConfig;
  const gapMs = 1000 / config.requestsPerSecond;
  let open = false;
  const underway = new Set<Promise<void>>();
  let next = systemClock.monotonicMs();
  for (let count = 0; !stop.signal.aborted; count++) {
    next += gapMs;
    await systemClock.sleep(next - systemClock.monotonicMs(), stop.signal).catch(() => {});
    if (stop.signal.aborted) break;
    const path = config.paths[Math.floor(systemIds.random() * config.paths.length)] ?? "/";
    const sending = send(config, path).then((report) => {
      underway.delete(sending);
      open ||= report.status === 200 && report.version !== "";
      if (open) process.stdout.write(`${JSON.stringify(report)}\n`);
    });
    underway.add(sending);
  }
  // Whoever asked before closing time is still served; cutting them off would look like a failure of the shop.
  await Promise.all(underway);
  agent.destroy();
}

async function firstLine(): Promise<string> {
  return await new Promise((resolve) => {
    let text = "";
    process.stdin.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end));
    });
    process.stdin.on("end", () => stop.abort());
  });
}

function send(config: TrafficConfig, path: string): Promise<RequestReport> {
  const sentMs = systemClock.now().epochMilliseconds;
  const report = (status: number, version: string): RequestReport => ({
    sentMs,
    doneMs: systemClock.now().epochMilliseconds,
    status,
    version,
  });
  return new Promise((resolve) => {
    const { host, port, hostHeader } = config;
    const options = { host, port, path, agent, headers: { host: hostHeader }, timeout: 10_000 };
    const outgoing = request(options, (response) => {
      const version = response.headers["x-shop-version"];
      response.on("data", () => {});
      response.on("end", () => resolve(report(response.statusCode ?? 0, typeof version === "string" ? version : "")));
      response.on("error", () => resolve(report(0, "")));
    });
    outgoing.on("timeout", () => outgoing.destroy());
    outgoing.on("error", () => resolve(report(0, "")));
    outgoing.end();
  });
}

process.stdout.on("error", () => stop.abort());
await main();
