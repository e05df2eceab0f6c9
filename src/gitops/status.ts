/** From what was found to what the Application's status says. Pure. */
import type {
  Application,
  ApplicationCondition,
  ApplicationConditionType,
  ApplicationSource,
  ApplicationStatus,
  OperationState,
  RevisionHistory,
} from "#api";
import { toTimestamp } from "#lib";
import { imagesOf, resourceStatuses, type Comparison } from "./compare.ts";
import { controllerNamespace } from "./tracking.ts";

export interface Finding {
  readonly comparison: Comparison;
  /** The comparison is only of what was known before: nothing can be said of being in sync. */
  readonly unknown: boolean;
  readonly revision?: string;
  readonly source?: ApplicationSource;
  readonly sourceType?: string;
  readonly conditions: readonly ApplicationCondition[];
  /** The repository was asked for this. */
  readonly refreshed: boolean;
  readonly now: Temporal.Instant;
}

export function nextStatus(application: Application, finding: Finding): ApplicationStatus {
  const old = application.status ?? {};
  const { comparison, unknown, now } = finding;
  const time = toTimestamp(now);
  const status: ApplicationStatus = {
    ...old,
    sync: syncPart(application, finding),
    health: {
      status: comparison.health,
      lastTransitionTime: old.health?.status === comparison.health ? (old.health.lastTransitionTime ?? time) : time,
    },
    resources: resourceStatuses(comparison.objects, unknown),
    conditions: mergeConditions(old.conditions ?? [], finding.conditions, time),
    controllerNamespace,
  };
  if (finding.sourceType !== undefined) status.sourceType = finding.sourceType;
  if (finding.refreshed || status.reconciledAt === undefined) status.reconciledAt = time;
  const images = imagesOf(comparison.objects);
  if (images.length > 0) status.summary = { images };
  else delete status.summary;
  return status;
}

function syncPart({ spec, status }: Application, finding: Finding): NonNullable<ApplicationStatus["sync"]> {
  const revision = finding.revision ?? status?.sync?.revision;
  return {
    status: finding.unknown ? "Unknown" : finding.comparison.sync,
    ...(revision === undefined ? {} : { revision }),
    comparedTo: {
      ...(finding.source === undefined ? {} : { source: finding.source }),
      destination: spec.destination,
      ...(spec.ignoreDifferences === undefined ? {} : { ignoreDifferences: spec.ignoreDifferences }),
    },
  };
}

/** One condition a type and message; its time is that of its first appearance. */
function mergeConditions(
  old: readonly ApplicationCondition[],
  found: readonly ApplicationCondition[],
  time: string,
): ApplicationCondition[] {
  return found.map(({ type, message }) => {
    const same = old.find((condition) => condition.type === type && condition.message === message);
    return { type, message, lastTransitionTime: same?.lastTransitionTime ?? time };
  });
}

export function condition(type: ApplicationConditionType, message: string): ApplicationCondition {
  return { type, message: message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message };
}

/** A broken overlay can have thousands of problems; the first ones say enough. */
const longestMessage = 4_000;

/** The history after a successful sync; unchanged unless it was a full, real one. */
export function nextHistory(application: Application, state: OperationState): RevisionHistory[] {
  const history = application.status?.history ?? [];
  const { sync, initiatedBy } = state.operation;
  const full = sync?.resources === undefined && sync?.dryRun !== true;
  if (!full || state.phase !== "Succeeded" || state.syncResult === undefined) return history;
  const entry: RevisionHistory = {
    id: (history.at(-1)?.id ?? -1) + 1,
    revision: state.syncResult.revision,
    ...(state.syncResult.source === undefined ? {} : { source: state.syncResult.source }),
    deployStartedAt: state.startedAt,
    deployedAt: state.finishedAt ?? state.startedAt,
    ...(initiatedBy === undefined ? {} : { initiatedBy }),
  };
  const limit = application.spec.revisionHistoryLimit ?? 10;
  return limit <= 0 ? [] : [...history, entry].slice(-limit);
}
