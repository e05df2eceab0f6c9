/** Leaf pieces without domain. Imports no other room. */
export { AppError, errorCode, errorMessage, isAbort, unreachable, type AppErrorOptions } from "./errors.ts";
export { formatProblem, formatProblems, hasErrors, type Checked, type Location, type Problem } from "./problem.ts";
export { clientGone } from "./client-gone.ts";
export { fromTimestamp, msBetween, systemClock, toTimestamp, withDeadline, type Clock } from "./clock.ts";
export { formatDuration, parseGoDuration, parseSecondsOrDuration } from "./duration.ts";
export { systemIds, type Ids } from "./ids.ts";
export { fnv1a32, safeEncode, secretsEqual, sha256Digest, sha256Hex } from "./digest.ts";
export { canonicalJson, deepEqual, isObject, mergePatch, type Json, type JsonObject } from "./json.ts";
export {
  createLog,
  silentLog,
  toJsonLine,
  toTextLine,
  type Log,
  type LogEntry,
  type LogFields,
  type LogLevel,
} from "./log.ts";
export { TaskGroup } from "./task-group.ts";
export { backoffDelayMs, type Backoff } from "./backoff.ts";
export { parseRange, type ByteRange } from "./byte-range.ts";
export { Wake } from "./wake.ts";
export { Channel, ChannelOverflowError } from "./channel.ts";
export { SequenceLog, type Sequenced } from "./sequence-log.ts";
export { KeyedLock } from "./keyed-lock.ts";
export { linearPattern, type LinearPattern } from "./linear-pattern.ts";
export { joinInside, readFileIfExists, writeFileAtomic, writeFileWhole } from "./files.ts";
export { CommandError, commandOutput, runCommand, type CommandOptions, type CommandResult } from "./command.ts";
export { findProgram } from "./find-program.ts";
export { runInThread, ThreadFailed } from "./run-in-thread.ts";
export { nearestName } from "./nearest-name.ts";
export { libc } from "./libc.ts";
export { spawnProgram, type RunningProgram } from "./spawn-program.ts";
export { migrate, openDatabase, type Database, type Migration } from "./database.ts";
export { streamZip, type ZipPart } from "./stream-zip.ts";
export * as zipFormat from "./zip-format.ts";
