/** Opens the runtimes of this node: pods as processes always, and the container engine where one answers. */
import { findEngine } from "#engine";
import { AppError, errorMessage } from "#lib";
import {
  type GatewayPort,
  type ImageSourcePort,
  openDockerRuntime,
  openProcessRuntime,
  type PodRuntime,
  SeveralRuntimes,
} from "#runtime";
import type { ServerContext } from "../context.ts";

class NoEngineError extends AppError<"server/no-engine"> {}

export async function podRuntimes(
  context: ServerContext,
  source: ImageSourcePort,
  gateway: GatewayPort,
): Promise<PodRuntime> {
  const { config, home, clock, ids, log, signal } = context;
  const { runtime: usual } = config.pods;
  await using opened = new AsyncDisposableStack();
  const processes = opened.use(
    await openProcessRuntime({
      podsFolder: home.pods,
      imagesFolder: home.rootfs,
      source,
      hostPath: config.hostPath,
      nodePath: config.nodePath,
      codeCache: config.codeCache,
      gateway,
      clock,
      ids,
      log,
      signal,
    }),
  );
  const engine = await openEngine(context, source);
  if (engine !== undefined) opened.use(engine);
  const runtimes = engine === undefined ? [processes] : [processes, engine];
  const onFailure = (error: unknown): void => log.error("Cannot follow a pod runtime", { error });
  const several = new SeveralRuntimes({ runtimes, usual, onFailure });
  opened.move();
  return several;
}

/** Undefined where none is wanted by the node and none answers; pods may still ask for it where one does. */
async function openEngine(context: ServerContext, source: ImageSourcePort): Promise<PodRuntime | undefined> {
  const { config, home, clock, ids, log, signal } = context;
  const { engine, userEngine, allowPrivileged, runtime } = config.pods;
  try {
    const address = findEngine(engine, userEngine);
    return await openDockerRuntime({ address, folder: home.docker, source, allowPrivileged, clock, ids, log, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (runtime === "docker") {
      const message = `Cannot run pods with --runtime docker: ${errorMessage(error)}`;
      throw new NoEngineError("server/no-engine", message, { cause: error });
    }
    log.debug("Pods cannot ask for the docker runtime", { error });
    return undefined;
  }
}
