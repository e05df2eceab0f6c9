/** Another host of repositories: git's own smart HTTP on a free port, for tests. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { run } from "./run-command.ts";

export interface GitHost extends AsyncDisposable {
  readonly url: string;
  /** How often it was asked for anything. */
  readonly requests: () => number;
  /** Commits the files, creating the repository, and puts the tag or branch on the commit; its id. */
  publish(repository: string, ref: string, files: Readonly<Record<string, string>>): Promise<string>;
  /** As if the network went away; `start` brings it back at the same address. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startGitHost(folder: string, env: Readonly<Record<string, string>>): Promise<GitHost> {
  await mkdir(folder, { recursive: true });
  let requests = 0;
  let port = 0;
  const server = createServer((request, response) => {
    requests += 1;
    serve(folder, env, request, response);
  });
  const start = async (): Promise<void> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  };
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    start,
    stop,
    publish: async (repository, ref, files) => await publish(join(folder, repository), ref, files, env),
    [Symbol.asyncDispose]: stop,
  };
}

async function publish(
  folder: string,
  ref: string,
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const git = async (...args: string[]): Promise<string> =>
    (await run("git", args, { env, cwd: folder })).stdout.trim();
  await mkdir(folder, { recursive: true });
  await git("init", "--quiet", "--initial-branch=main");
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  await git("add", "--all");
  await git("commit", "--quiet", "--allow-empty", "--message", ref);
  if (ref !== "main") await git("tag", "--force", ref);
  return await git("rev-parse", "HEAD");
}

function serve(
  root: string,
  env: Readonly<Record<string, string>>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const url = new URL(request.url ?? "/", "http://host");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: env["PATH"],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: String(request.headers["content-encoding"] ?? ""),
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
    },
  });
  child.stdin.on("error", () => {});
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.on("close", () => {
    const whole = Buffer.concat(chunks);
    const end = whole.indexOf("\r\n\r\n");
    const headers = whole
      .subarray(0, end)
      .toString()
      .split("\r\n")
      .map((line) => line.split(": "));
    const status = Number.parseInt(headers.find(([name]) => name === "Status")?.[1] ?? "200", 10);
    for (const [name = "", value = ""] of headers) if (name !== "Status") response.setHeader(name, value);
    response.writeHead(status).end(whole.subarray(end + 4));
  });
}
