/**
 * Logs are for the operator; users learn of things through conditions and events first. The message of a warning or
 * an error is constant text, the variable part is in the fields. Fields never carry secrets.
 */
import { errorCode } from "./errors.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose every line carries `fields` too. */
  with(fields: LogFields): Log;
}

export interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

const severity: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A log that hands each entry at or above `minimum` to `write`. */
export function createLog(write: (entry: LogEntry) => void, minimum: LogLevel = "info"): Log {
  return logWith(write, minimum, {});
}

function logWith(write: (entry: LogEntry) => void, minimum: LogLevel, base: LogFields): Log {
  function emit(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (severity[level] >= severity[minimum]) write({ level, message, fields: { ...base, ...fields } });
  }
  return {
    debug: (message, fields) => emit("debug", message, fields),
    info: (message, fields) => emit("info", message, fields),
    warn: (message, fields) => emit("warn", message, fields),
    error: (message, fields) => emit("error", message, fields),
    with: (fields) => logWith(write, minimum, { ...base, ...fields }),
  };
}

/** Discards everything. */
export const silentLog: Log = createLog(() => {}, "error");

/** One JSON object a line, errors flattened to name, message, code and stack. */
export function toJsonLine(entry: LogEntry, time: Temporal.Instant): string {
  const record = { time: time.toString(), level: entry.level, message: entry.message, ...entry.fields };
  return JSON.stringify(record, (_key, value: unknown) => (value instanceof Error ? plainError(value) : value));
}

/** One readable line for a terminal. */
export function toTextLine(entry: LogEntry, time: Temporal.Instant): string {
  const clock = time.toString({ smallestUnit: "millisecond" }).slice(11, 23);
  const fields = Object.entries(entry.fields).map(([key, value]) => `${key}=${fieldText(value)}`);
  return [clock, entry.level.toUpperCase().padEnd(5), entry.message, ...fields].join(" ");
}

function fieldText(value: unknown): string {
  if (value instanceof Error)
    return JSON.stringify(value.cause === undefined ? value.message : `${value.message} (${causeText(value.cause)})`);
  return typeof value === "string" && /^[\w./:@-]+$/.test(value) ? value : (JSON.stringify(value) ?? "undefined");
}

function causeText(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function plainError(error: Error): LogFields {
  return { name: error.name, message: error.message, code: errorCode(error), stack: error.stack, cause: error.cause };
}
