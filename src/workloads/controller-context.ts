import type { Informers } from "#controller";
import type { Cluster } from "#kube";
import type { Clock, Ids, Log } from "#lib";

/** What every controller of this room stands on. */
export interface ControllerContext {
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Of the machine: what a CronJob goes by that names none. */
  readonly timeZone: string;
}
