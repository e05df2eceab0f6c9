/** A minimal registry for tests: blobs and manifests in memory, Bearer tokens, no policies. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface RegistryFake extends AsyncDisposable {
  readonly host: string;
  readonly blobs: Map<string, Buffer>;
  /** By `repository:tag` and `repository@digest`. */
  readonly manifests: Map<string, { readonly bytes: Buffer; readonly type: string }>;
  /** `METHOD path`, in order. */
  readonly requests: string[];
  /** From here on each request is done and its first answer lost, as by a registry that is killed. */
  loseFirstAnswers(): void;
}

export const fakeLogin = { username: "ada", password: "s3cret" };

export async function startRegistryFake(): Promise<RegistryFake> {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, { bytes: Buffer; type: string }>();
  const requests: string[] = [];
  const state = { blobs, manifests, requests, host: "" };
  let lost: Set<string> | undefined;
  const server = createServer((request, response) => {
    const asked = `${request.method} ${request.url}`;
    if (lost !== undefined && !lost.has(asked)) {
      lost.add(asked);
      response.writeHead = () => response;
      response.end = () => response.destroy();
    }
    serve(state, request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...state,
    loseFirstAnswers() {
      lost = new Set();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

interface State {
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, { bytes: Buffer; type: string }>;
  readonly requests: string[];
  readonly host: string;
}

async function serve(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", `http://${state.host}`);
  const body = await bodyOf(request);
  const basic = `Basic ${Buffer.from(`${fakeLogin.username}:${fakeLogin.password}`).toString("base64")}`;
  if (url.pathname === "/token") {
    const right = request.headers.authorization === basic;
    response.writeHead(right ? 200 : 401, { "content-type": "application/json" });
    response.end(JSON.stringify(right ? { token: "granted", expires_in: 300 } : {}));
    return;
  }
  state.requests.push(`${request.method} ${url.pathname}`);
  if (request.headers.authorization !== "Bearer granted") {
    const challenge = `Bearer realm="http://${state.host}/token",service="fake"`;
    response.writeHead(401, { "www-authenticate": challenge }).end();
    return;
  }
  const [, repository = "", kind = "", name = ""] =
    /^\/v2\/(.+)\/(blobs|manifests|blobs\/uploads)\/([^/]*)$/.exec(url.pathname) ?? [];
  if (kind === "manifests") serveManifest(state, request, response, { repository, name, body });
  else serveBlob(state, request, response, { url, repository, kind, name, body });
}

function serveManifest(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  call: { repository: string; name: string; body: Buffer },
): void {
  const key = call.name.includes(":") ? `${call.repository}@${call.name}` : `${call.repository}:${call.name}`;
  if (request.method === "PUT") {
    const stored = { bytes: call.body, type: request.headers["content-type"] ?? "" };
    state.manifests.set(key, stored);
    state.manifests.set(`${call.repository}@${digestOf(call.body)}`, stored);
    response.writeHead(201).end();
    return;
  }
  const found = state.manifests.get(key);
  if (found === undefined) response.writeHead(404).end();
  else response.writeHead(200, { "content-type": found.type }).end(found.bytes);
}

function serveBlob(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  call: { url: URL; repository: string; kind: string; name: string; body: Buffer },
): void {
  if (request.method === "POST") {
    const mount = call.url.searchParams.get("mount");
    if (mount !== null && state.blobs.has(mount)) response.writeHead(201).end();
    else response.writeHead(202, { location: `/v2/${call.repository}/blobs/uploads/one` }).end();
  } else if (request.method === "PUT") {
    const digest = call.url.searchParams.get("digest") ?? "";
    const right = digest === digestOf(call.body);
    if (right) state.blobs.set(digest, call.body);
    response.writeHead(right ? 201 : 400).end();
  } else {
    const found = state.blobs.get(call.name);
    response.writeHead(found === undefined ? 404 : 200);
    response.end(request.method === "HEAD" ? undefined : found);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
