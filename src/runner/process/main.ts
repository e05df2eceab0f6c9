/**
 * The runner process. `node main.ts [config.json]`; without a file the configuration comes on standard input, which may
 * be closed afterwards: the process lives on when whoever started it is gone. Logs JSON lines to standard output.
 */
import { readFile } from "node:fs/promises";
import { flushCompileCache } from "node:module";
import { createLog, errorMessage, systemClock, systemIds, toJsonLine } from "#lib";
import { createRunner } from "../runner.ts";
import { parseRunnerConfig } from "./config.ts";
import { openDoors } from "./loopback-door.ts";

const maxConfigBytes = 1024 * 1024;

async function readConfigText(file: string | undefined): Promise<string> {
  if (file !== undefined) return await readFile(file, "utf8");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxConfigBytes) throw new Error("Cannot start the runner: its configuration is over 1 MiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function main(): Promise<void> {
  const log = createLog((entry) => {
    process.stdout.write(`${toJsonLine(entry, systemClock.now())}\n`);
  });
  // Control may be killed while we hold its pipe: then nobody reads the log, and work goes on.
  process.stdout.on("error", () => {});
  const config = parseRunnerConfig(await readConfigText(process.argv[2]), process.execPath);
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  await using owned = new AsyncDisposableStack();
  await openDoors(config.ports ?? [], config.controlUrl, config.token, owned);
  await using runner = createRunner({ ...config, clock: systemClock, ids: systemIds, log });
  log.info("Runner started", { name: config.name, labels: config.labels, concurrency: config.concurrency });
  // Written now, not at the end: a process that is killed must be back fast too.
  flushCompileCache();
  await runner.run(stop.signal);
  log.info("Runner stopped", { name: config.name });
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${errorMessage(error)}\n`);
  process.exitCode = 1;
}
