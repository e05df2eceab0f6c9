/**
 * A job's addresses of the server are on the loopback of the machine (`127.0.0.1`, `tidegate.localhost`). A container has
 * a loopback of its own: a process of ours listens there, and passes connections on through a Unix socket to the
 * runner, which makes them. So a workflow reads the same addresses whether it runs in a container or not.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, connect, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "#lib";
import type { JobAssignment } from "#workflows";
import type { Job } from "../job/job.ts";

const program = join(import.meta.dirname, "process", "main.ts");
/** Ports on loopback by which the job knows the server, and the names for it that need a line in `/etc/hosts`. */
export function serverPorts({ services }: JobAssignment): {
  readonly ports: readonly number[];
  readonly names: readonly string[];
} {
  const urls = [services.serverUrl, services.apiUrl, services.internalServerUrl, services.resultsUrl, services.cacheUrl]
    .filter((url) => url !== undefined)
    .map((url) => new URL(url))
    .filter(({ hostname }) => /^127\.|^localhost$|\.localhost$/.test(hostname));
  return {
    ports: [...new Set(urls.map(({ port, protocol }) => Number(port) || (protocol === "https:" ? 443 : 80)))],
    names: [...new Set(urls.map(({ hostname }) => hostname).filter((name) => name.endsWith(".localhost")))],
  };
}

/**
 * Entering another network takes root; without it, jobs in containers do not reach a server on loopback.
 *
 * @param pid of a process of the container, as the engine says it; 0 or undefined when it does not
 */
export async function leadToServer(job: Job, pid: number | undefined): Promise<AsyncDisposable> {
  const nsenter = findProgram("nsenter", job.parts.runner.baseEnv["PATH"] ?? "", "/");
  const led = new AsyncDisposableStack();
  if (process.getuid?.() !== 0 || pid === undefined || pid === 0 || nsenter === undefined) return led;
  for (const port of serverPorts(job.parts.assignment).ports) await leadPort(job, port, [nsenter, pid], led);
  return led;
}

async function leadPort(
  job: Job,
  port: number,
  [nsenter, pid]: readonly [string, number],
  led: AsyncDisposableStack,
): Promise<void> {
  const { runner, trackingId } = job.parts;
  // A Unix socket's path must be shorter than 108 bytes, wherever the runner's folder is.
  const folder = await mkdtemp(join(tmpdir(), "tg-"));
  led.defer(() => rm(folder, { recursive: true, force: true }));
  const socket = join(folder, "s");
  const server = await listen(socket, port);
  led.defer(() => void server.close());
  const child = spawn(nsenter, [`--net=/proc/${pid}/ns/net`, "--", runner.nodePath, program, String(port), socket], {
    env: { PATH: runner.baseEnv["PATH"] ?? "", RUNNER_TRACKING_ID: trackingId },
    stdio: ["ignore", "pipe", "ignore"],
  });
  led.defer(() => void child.kill("SIGKILL"));
  await new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
    // It says so once it listens.
    child.stdout.once("data", () => resolve());
  });
}

async function listen(socket: string, port: number): Promise<Server> {
  const server = createServer((client) => {
    const target = connect(port, "127.0.0.1");
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, resolve);
  });
  server.unref();
  return server;
}
