/** Whether the Application syncs by itself now. Pure. */
import type { Application, ApplicationSource, Operation, SyncOperationResource, SyncStatusCode } from "#api";
import { deepEqual, fromTimestamp, msBetween } from "#lib";
import type { ObjectKey } from "../object-key.ts";

export interface AutoSyncInput {
  readonly application: Application;
  readonly sync: SyncStatusCode;
  readonly revision: string;
  readonly source: ApplicationSource;
  readonly resources: readonly { readonly key: ObjectKey; readonly synced: boolean; readonly prune: boolean }[];
  readonly now: Temporal.Instant;
}

export type AutoSyncDecision =
  | { readonly kind: "none" }
  | { readonly kind: "refuse"; readonly message: string }
  /** Self-heal holds back: it did the same just now. */
  | { readonly kind: "later"; readonly ms: number }
  | { readonly kind: "sync"; readonly operation: Operation };

const none: AutoSyncDecision = { kind: "none" };

/** Self-heals that follow one another wait 0, 2, 6, 18 … 300 s; after this time in peace the row begins anew. */
const selfHeal = { firstMs: 2_000, factor: 3, maxMs: 300_000, cooldownMs: 330_000 } as const;

export function decideAutoSync(input: AutoSyncInput): AutoSyncDecision {
  const { application, resources } = input;
  const policy = application.spec.syncPolicy?.automated;
  if (policy === undefined || policy === null || policy.enabled === false) return none;
  if (input.sync !== "OutOfSync" || application.metadata.deletionTimestamp !== undefined) return none;
  const open = resources.filter(({ synced }) => !synced);
  if (policy.prune !== true && open.every(({ prune }) => prune)) return none;
  const tried = lastAttempt(input);
  if (tried === "failed") {
    const message = application.status?.operationState?.message ?? "";
    return { kind: "refuse", message: `Failed last sync attempt to ${input.revision}: ${message}` };
  }
  if (tried === "succeeded" && policy.selfHeal !== true) return none;
  if (
    policy.prune === true &&
    policy.allowEmpty !== true &&
    resources.length > 0 &&
    resources.every(({ prune }) => prune)
  ) {
    const message = "Auto-sync will wipe out all resources: set spec.syncPolicy.automated.allowEmpty if that is meant";
    return { kind: "refuse", message };
  }
  return tried === "succeeded"
    ? heal(
        input,
        open.map(({ key }) => key),
      )
    : { kind: "sync", operation: operation(input) };
}

/** How the last attempt to bring exactly this revision of this source ended, if that was the last attempt. */
function lastAttempt({ application, revision, source }: AutoSyncInput): "none" | "failed" | "succeeded" {
  const state = application.status?.operationState;
  const result = state?.syncResult;
  if (state === undefined || result === undefined || state.operation.sync?.dryRun === true) return "none";
  if (result.revision !== revision || !deepEqual(result.source, source)) return "none";
  if (state.phase === "Failed" || state.phase === "Error") return "failed";
  return state.phase === "Succeeded" ? "succeeded" : "none";
}

/** Repairs only what drifted; hooks do not run and history does not grow. */
function heal(input: AutoSyncInput, keys: readonly ObjectKey[]): AutoSyncDecision {
  const state = input.application.status?.operationState;
  const sinceMs = state?.finishedAt === undefined ? Infinity : msBetween(fromTimestamp(state.finishedAt), input.now);
  const count = sinceMs >= selfHeal.cooldownMs ? 0 : (state?.operation.sync?.selfHealAttemptsCount ?? 0);
  const delayMs = count === 0 ? 0 : Math.min(selfHeal.maxMs, selfHeal.firstMs * selfHeal.factor ** (count - 1));
  if (sinceMs < delayMs) return { kind: "later", ms: delayMs - sinceMs };
  const resources = keys.map(({ group, kind, namespace, name }): SyncOperationResource => ({
    group,
    kind,
    namespace,
    name,
  }));
  return { kind: "sync", operation: operation(input, { resources, selfHealAttemptsCount: count + 1 }) };
}

function operation(
  { application, revision }: AutoSyncInput,
  more: { readonly resources?: SyncOperationResource[]; readonly selfHealAttemptsCount?: number } = {},
): Operation {
  const { syncPolicy } = application.spec;
  return {
    sync: {
      revision,
      prune: syncPolicy?.automated?.prune === true,
      ...(syncPolicy?.syncOptions === undefined ? {} : { syncOptions: syncPolicy.syncOptions }),
      ...more,
    },
    retry: syncPolicy?.retry ?? { limit: 5 },
    initiatedBy: { automated: true },
  };
}
