/** Starts one router process that does not depend on us any more once it has said how its start went. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, open, rename, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "#lib";
import { RouterError } from "../errors.ts";
import type { RouterConfig } from "../process/config.ts";
import { identityFile, type StartReport } from "../process/control-protocol.ts";
import { identify } from "./process-identity.ts";

const maxLogBytes = 8 * 1024 * 1024;
const mainFile = join(import.meta.dirname, "..", "process", "main.ts");

export interface SpawnOptions {
  readonly nodePath: string;
  readonly codeCache: string | undefined;
  readonly config: RouterConfig;
  readonly signal: AbortSignal;
}

/**
 * Resolves with the port once the router listens. Throws `RouterError` with the reason it gave. Aborting stops waiting,
 * and the half-started process.
 */
export async function spawnRouter({ nodePath, codeCache, config, signal }: SpawnOptions): Promise<number> {
  signal.throwIfAborted();
  await mkdir(config.folder, { recursive: true, mode: 0o700 });
  const configFile = join(config.folder, "config.json");
  await writeFileAtomic(configFile, `${JSON.stringify(config, undefined, 2)}\n`, 0o600);
  const logFile = await openLog(join(config.folder, "router.log"));
  try {
    // Nothing of the control process's environment: it may hold secrets, and the router needs none of it.
    const child = spawn(nodePath, [mainFile, configFile], {
      detached: true,
      env: codeCache === undefined ? {} : { NODE_COMPILE_CACHE: codeCache },
      cwd: config.folder,
      stdio: ["ignore", logFile.fd, logFile.fd, "ipc"],
    });
    const started = startReport(child, config, signal);
    started.catch(() => {});
    const identity = child.pid === undefined ? undefined : await identify(child.pid);
    await writeFileAtomic(join(config.folder, identityFile), `${JSON.stringify(identity ?? {})}\n`, 0o600);
    return await started;
  } finally {
    await logFile.close();
  }
}

/** A start is the moment to put a log aside that has grown; a router writes a few lines an hour. */
async function openLog(path: string): Promise<FileHandle> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > maxLogBytes) await rename(path, `${path}.old`);
  return open(path, "a", 0o600);
}

function startReport(child: ChildProcess, config: RouterConfig, signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const fail = (found: string, cause?: unknown): void => {
    const advice = `see "${join(config.folder, "router.log")}"`;
    reject(new RouterError("router/start-failed", `Cannot start router: ${found}: ${advice}`, { cause }));
  };
  const abort = (): void => {
    child.kill("SIGKILL");
    reject(signal.reason as Error);
  };
  signal.addEventListener("abort", abort, { once: true });
  child.once("error", (error) => fail("the process could not be started", error));
  child.once("exit", (code, killedBy) => fail(`it ended with ${killedBy ?? `exit code ${code}`} before it listened`));
  child.once("message", (message) => {
    const report = message as StartReport;
    if (report.kind === "ready") return resolve(report.port);
    const { host, port } = config.listen;
    if (report.code !== "EADDRINUSE") return fail(report.message);
    reject(
      new RouterError("router/port-taken", `Cannot listen on "${host}:${port}": the port is taken: choose another one`),
    );
  });
  const settle = (): void => {
    signal.removeEventListener("abort", abort);
    if (child.connected) child.disconnect();
    child.unref();
  };
  promise.then(settle, settle);
  return promise;
}
