import type { Clock, Ids, Log, TaskGroup } from "#lib";
import type { Config } from "./config.ts";
import type { Home } from "./home.ts";

/** What every part of the composition needs. */
export interface ServerContext {
  readonly config: Config;
  readonly home: Home;
  readonly log: Log;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Background work of the process; its signal aborts when the process stops. */
  readonly tasks: TaskGroup;
  readonly signal: AbortSignal;
  /** RFC 3339. */
  readonly startedAt: string;
}
