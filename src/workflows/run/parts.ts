/** What the parts of the run state share. */
import type { Channel, Clock, Ids, Log, TaskGroup, Wake } from "#lib";
import type { ActionParts } from "../actions/actions.ts";
import type { JobTokenPort, ReviewPort, ServicesPort, VariablesPort, WorkflowSourcePort } from "../ports.ts";
import type { WorkflowReader } from "../parse/workflow-reader.ts";
import type { Listeners } from "./follow-ups.ts";
import type { LogStore } from "./log-store.ts";
import type { WorkflowsDatabase } from "./schema.ts";
import type { RunNotice } from "./view.ts";

export interface RunParts {
  readonly db: WorkflowsDatabase;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly source: WorkflowSourcePort;
  /** Actions, and workflows of other repositories. */
  readonly actions: ActionParts;
  readonly tokens: JobTokenPort;
  readonly variables: VariablesPort;
  readonly services: ServicesPort;
  readonly notices: Channel<RunNotice>;
  readonly logs: LogStore;
  readonly tasks: TaskGroup;
  /** Reads workflow files, large ones in a thread of their own. */
  readonly reader: WorkflowReader;
  readonly review: ReviewPort;
  readonly listeners: Listeners;
  /** Notified when something is to be told to workflows that follow others. */
  readonly followUps: Wake;
  /** Notified when there are runs whose files are to be looked at. */
  readonly remarks: Wake;
  /** Notified when a job comes to the gate of its environment, or rules of one changed. */
  readonly gates: Wake;
  /** Notified when schedules changed. */
  readonly schedules: Wake;
  /** How long a runner may be silent before its job counts as lost. */
  readonly leaseMs: number;
}
