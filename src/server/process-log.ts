import { createLog, type Log, systemClock, toJsonLine, toTextLine } from "#lib";
import type { Config } from "./config.ts";

/** The log of one process, to standard error, in the form the configuration asks for. */
export function processLog(config: Pick<Config, "logFormat" | "logLevel">, name: string): Log {
  const format = config.logFormat === "json" ? toJsonLine : toTextLine;
  const log = createLog((entry) => void process.stderr.write(`${format(entry, systemClock.now())}\n`), config.logLevel);
  return log.with({ process: name });
}
