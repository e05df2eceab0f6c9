/**
 * The control process. Started by the supervisor with its configuration in the environment; ends when asked by signal
 * or API, or when standard input ends, which says that the supervisor is gone.
 */
import { flushCompileCache } from "node:module";
import { errorMessage } from "#lib";
import { readConfig } from "../config.ts";
import { processLog } from "../process-log.ts";
import { startControl } from "../control.ts";

const config = readConfig();
const log = processLog(config, "control");
const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort());
process.stdin.on("end", () => stop.abort());
process.stdin.resume();
// A broken pipe to whoever read our output must not end what users depend on.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

try {
  await using control = await startControl(config, log);
  process.send?.({ kind: "ready", ...control.endpoints });
  // Written now, not at the end: a process that is killed must be back fast too.
  flushCompileCache();
  await control.stopped(stop.signal);
  log.info("Control process stops");
} catch (error) {
  log.error("Control process failed", { error });
  process.send?.({ kind: "failed", message: errorMessage(error) });
  process.exitCode = 1;
}
process.stdin.pause();
process.disconnect?.();
