/**
 * The router process: `main.ts <config.json>`. It is started detached, outlives the control process, and serves by the
 * last table on disk until it gets a new one. SIGTERM: no new connections, what is under way is finished, exit.
 */
import { rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { createLog, errorCode, errorMessage, systemClock, toJsonLine, type Log } from "#lib";
import { Proxy } from "../proxy/proxy.ts";
import { ActiveTable } from "./active-table.ts";
import { readConfig, type RouterConfig } from "./config.ts";
import { controlProtocol, identityFile, type RouterStatus, type StartReport } from "./control-protocol.ts";
import { ControlServer } from "./control-server.ts";

const log: Log = createLog((entry) => console.error(toJsonLine(entry, systemClock.now()))).with({ pid: process.pid });

try {
  const port = await start(readConfig(await readFile(process.argv[2] ?? "", "utf8")));
  report({ kind: "ready", port });
  // Written now, not at the end: a process that is killed must be back fast too.
  flushCompileCache();
} catch (error) {
  log.error("Router could not start", { error });
  report({ kind: "failed", code: errorCode(error) ?? "", message: errorMessage(error) });
  process.exitCode = 1;
  setTimeout(() => process.exit(1), 1000).unref();
}

async function start(config: RouterConfig): Promise<number> {
  const startedAt = systemClock.now().toString();
  const proxy = new Proxy(config.settings, log);
  const active = new ActiveTable(config.folder, (table) => proxy.swap(table), log);
  await active.load();
  let { port } = config.listen;
  const status = (): RouterStatus => ({
    protocol: controlProtocol,
    pid: process.pid,
    startedAt,
    ...active.version,
    stopping,
    listen: { host: config.listen.host, port },
    draining: proxy.draining(),
  });
  let stopping = false;
  const drain = (): void => {
    if (stopping) return;
    stopping = true;
    control.retire();
    drainAndExit(config, proxy);
  };
  const control: ControlServer = new ControlServer(
    {
      status,
      metrics: () => proxy.metrics(),
      replaceTable: (epoch, table) => active.replace(epoch, table),
      drained: (address, signal) => proxy.drained(address, signal),
      drain,
    },
    log,
  );
  // The control socket first: whoever holds it is the one router of this folder.
  await control.listen(config.socket);
  port = await proxy.listen(config.listen);
  process.once("SIGTERM", drain);
  // The terminal's Ctrl-C is meant for the control process, which decides about us.
  process.on("SIGINT", () => {});
  process.on("SIGHUP", () => {});
  log.info("Router listens", { host: config.listen.host, port, ...active.version });
  return port;
}

/** Without its identity file the process is nobody's to adopt or kill, while its successor may start. */
function drainAndExit(config: RouterConfig, proxy: Proxy): void {
  log.info("Router drains", { drainMs: config.drainMs });
  rmSync(join(config.folder, identityFile), { force: true });
  proxy.drain(AbortSignal.timeout(config.drainMs)).then(
    () => process.exit(0),
    (error: unknown) => {
      log.error("Router could not drain", { error });
      process.exit(1);
    },
  );
}

/** To the parent, if it still lives; then the channel is closed, so that its death means nothing to us. */
function report(message: StartReport): void {
  process.send?.(message, undefined, undefined, () => {
    if (process.connected) process.disconnect?.();
  });
}
