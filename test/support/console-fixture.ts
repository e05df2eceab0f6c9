/** A stand-in for the product API that serves the built console: for the states of the console that a real release shows seldom. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { AddressInfo } from "node:net";
import type { ApiFailure, ChangeNotice, RunLogLine, RunnerSummary } from "#api";
import * as data from "./console-data/index.ts";

const folder = join(import.meta.dirname, "..", "..", "dist", "console");
const types: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
/** As the real server sends it: what the console may not do there, it may not do here. */
const policy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

export interface ConsoleFixture extends AsyncDisposable {
  readonly url: string;
  /** What it answers with; tests change it and `notify`. */
  readonly data: { -readonly [Key in keyof typeof data]: (typeof data)[Key] };
  /** What was posted: `/rollouts/shop/shop/abort`. */
  readonly posted: string[];
  /** How many lines the log of the failed job has. */
  logSize: number;
  /** Answers everything with 401. */
  signedOut: boolean;
  notify(notice: ChangeNotice): void;
  /** Ends every open stream. */
  dropStreams(): void;
}

export async function startConsoleFixture(): Promise<ConsoleFixture> {
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) => answer(fixture, streams, request, response));
  const fixture: ConsoleFixture = {
    url: "",
    data: { ...data },
    posted: [],
    logSize: 1200,
    signedOut: false,
    notify(notice) {
      for (const stream of streams) stream.write(`event: change\ndata: ${JSON.stringify(notice)}\n\n`);
    },
    dropStreams() {
      for (const stream of streams) stream.destroy();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(fixture, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

function answer(
  fixture: ConsoleFixture,
  streams: Set<ServerResponse>,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const path = decodeURIComponent(new URL(request.url ?? "/", "http://console").pathname);
  const route = /^\/api\/tidegate\/v1(\/.*)$/.exec(path)?.[1];
  if (route === undefined) return sendFile(response, path);
  if (fixture.signedOut) return sendFailure(response, 401, "A token is needed: Authorization: Bearer <token>");
  if (request.method === "POST") {
    fixture.posted.push(route);
    if (route.endsWith("/undo")) return sendFailure(response, 409, "There is no earlier revision to go back to");
    return sendJson(response, 200, {});
  }
  if (route === "/events") {
    streams.add(response);
    response.once("close", () => streams.delete(response));
    openStream(response).write("event: hello\ndata: {}\n\n");
    return undefined;
  }
  const log = /^\/jobs\/([^/]+)\/log$/.exec(route);
  if (log !== null) return sendLog(response, fixture, log[1] ?? "");
  const body = read(fixture, route);
  return body === undefined ? sendFailure(response, 404, `There is no ${route}`) : sendJson(response, 200, body);
}

const runners: readonly RunnerSummary[] = (["idle", "busy", "offline"] as const).map((state) => ({
  id: state,
  name: `runner-${state}`,
  labels: ["self-hosted", "linux"],
  group: "Default",
  state,
  ephemeral: false,
  registered: true,
  jobs: state === "busy" ? [{ id: "1", runId: "run-43", name: "quality" }] : [],
}));

function read({ data: all }: ConsoleFixture, route: string): unknown {
  const { application: app, rolloutDetail } = all;
  if (route === "/status") return all.status;
  if (route === "/deliveries") return { items: all.deliveries };
  if (route.startsWith("/trace/")) return { from: "e1", events: all.trace };
  if (route === "/runs") return { items: all.runs };
  if (route === "/schedules") return { items: [] };
  if (route === "/runners") return { items: runners };
  if (route === "/environments") return { items: all.environments };
  if (route === "/runs/run-43/pending") return { items: all.pending };
  if (route === "/runs/run-43/reviews") return { items: all.reviews };
  if (/^\/runs\/[^/]+\/coverage$/.test(route)) return { lines: 0, covered: 0, files: [], uploads: [] };
  if (/^\/runs\/[^/]+\/findings$/.test(route)) return { items: [], uploads: [] };
  // What belongs to a run beside its jobs (artifacts and the like): nothing here.
  if (/^\/runs\/[^/]+\/./.test(route)) return { items: [] };
  if (route.startsWith("/runs/")) return all.runs.find(({ id }) => `/runs/${id}` === route);
  if (route === "/applications") return { items: [app] };
  if (route === `/applications/${app.namespace}/${app.name}`) return app;
  if (route === `/applications/${app.namespace}/${app.name}/diff`) return { items: all.diffs };
  if (route === "/rollouts") return { items: [rolloutDetail] };
  return route === `/rollouts/${rolloutDetail.namespace}/${rolloutDetail.name}` ? rolloutDetail : undefined;
}

/** A finished job's log ends; a running one goes on, a line every moment. */
function sendLog(response: ServerResponse, fixture: ConsoleFixture, job: string): void {
  openStream(response);
  const big = job === "job-big";
  const lines = fixture.data.logLines(big ? fixture.logSize : 60, big);
  response.write(lines.map(lineEvent).join(""));
  if (job !== "job-test-26") {
    response.end("event: end\ndata: {}\n\n");
    return;
  }
  let line = 12;
  const timer = setInterval(() => {
    response.write(lineEvent({ step: 5, line, time: new Date().toISOString(), text: `still at it, ${line++}` }));
  }, 100);
  response.once("close", () => clearInterval(timer));
}

function lineEvent(line: RunLogLine): string {
  return `event: line\ndata: ${JSON.stringify(line)}\n\n`;
}

function openStream(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function sendFailure(response: ServerResponse, status: number, message: string): void {
  const body: ApiFailure = { error: { code: "api/refused", message } };
  sendJson(response, status, body);
}

function sendFile(response: ServerResponse, path: string): void {
  const asset = /^\/assets\/[\w.-]+$/.test(path) && existsSync(join(folder, path));
  const file = join(folder, asset ? path : "index.html");
  const type = types[extname(file)] ?? "text/html; charset=utf-8";
  response.writeHead(200, { "content-type": type, "content-security-policy": policy }).end(readFileSync(file));
}
