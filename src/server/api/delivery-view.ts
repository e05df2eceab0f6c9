/** What a row of the deliveries page shows. Pure: the walk from a commit and the live rollout in, the row out. */
import type {
  DeliveryOutcome,
  DeliveryStage,
  DeliveryView,
  RecordedEvent,
  Rollout,
  StageName,
  TimelineKind,
} from "#api";

export interface ObservedDelivery {
  readonly push: RecordedEvent;
  /** All that followed from the push, oldest first. */
  readonly events: readonly RecordedEvent[];
  /** The live rollout that the last release of these events belongs to, if it still is there. */
  readonly rollout: Rollout | undefined;
  /** The application has gone on to another commit of its environment than the last one of these events. */
  readonly movedOn?: boolean;
}

export function deliveryView(observed: ObservedDelivery): DeliveryView {
  const { push, events, rollout } = observed;
  const release = last(events, "rollout-started");
  const podHash = text(release, "podHash");
  const weight = rollout === undefined ? 0 : weightOf(rollout, podHash);
  const stages = [
    withoutBuild(events) ? nothingToBuild("build") : buildStage(events),
    withoutBuild(events) ? nothingToBuild("image") : imageStage(events),
    environmentStage(events, observed.movedOn ?? false),
    canaryStage(events, rollout, podHash, weight),
    productionStage(events, rollout, podHash),
  ];
  const sync = last(events, "sync-started");
  const image = last(events, "image-pushed");
  const runId = text(last(events, "run-started"), "run");
  return {
    id: push.id,
    repository: text(push, "repository"),
    branch: text(push, "ref").replace("refs/heads/", ""),
    sha: text(push, "sha"),
    message: push.title,
    author: text(push, "author"),
    pushedAt: push.at,
    stages: skipAfterFailure(stages),
    outcome: outcomeOf(stages, rollout, podHash),
    weight,
    ...(runId === "" ? {} : { runId }),
    ...(image === undefined ? {} : { image: `${text(image, "repository")}@${text(image, "digest")}` }),
    ...(sync === undefined
      ? {}
      : { application: { namespace: text(sync, "namespace"), name: text(sync, "application") } }),
    ...(release === undefined
      ? {}
      : { rollout: { namespace: text(release, "namespace"), name: text(release, "rollout"), podHash } }),
  };
}

/** A commit to an environment itself, a replica count say: it goes straight to its sync. */
function withoutBuild(events: readonly RecordedEvent[]): boolean {
  return last(events, "run-started") === undefined && last(events, "sync-started") !== undefined;
}

function nothingToBuild(name: StageName): DeliveryStage {
  return { name, state: "skipped", detail: "nothing to build" };
}

function buildStage(events: readonly RecordedEvent[]): DeliveryStage {
  const started = last(events, "run-started");
  const completed = last(events, "run-completed");
  if (started === undefined) return waiting("build");
  if (completed === undefined) return { name: "build", state: "running", startedAt: started.at, detail: started.title };
  const state = completed.tone === "good" ? "done" : "failed";
  return { name: "build", state, startedAt: started.at, finishedAt: completed.at, detail: completed.title };
}

function imageStage(events: readonly RecordedEvent[]): DeliveryStage {
  const image = last(events, "image-pushed");
  if (image === undefined) return waiting("image");
  const detail = text(image, "digest").slice(0, 19);
  return { name: "image", state: "done", startedAt: image.at, finishedAt: image.at, detail };
}

function environmentStage(events: readonly RecordedEvent[], movedOn: boolean): DeliveryStage {
  const commit = last(events, "environment-commit") ?? last(events, "sync-started");
  const done = last(events, "sync-completed");
  if (commit === undefined) return waiting("environment");
  const base = { name: "environment", startedAt: commit.at } as const;
  if (done === undefined && movedOn) {
    return { ...base, state: "failed", detail: "not synced before a newer commit took over" };
  }
  if (done === undefined) return { ...base, state: "running", detail: commit.title };
  const state = done.tone === "good" ? "done" : "failed";
  return { ...base, state, finishedAt: done.at, detail: done.title };
}

function canaryStage(
  events: readonly RecordedEvent[],
  rollout: Rollout | undefined,
  podHash: string,
  weight: number,
): DeliveryStage {
  const started = last(events, "rollout-started");
  if (started === undefined) return waiting("canary");
  const aborted = last(events, "rollout-aborted");
  const promoted = last(events, "rollout-promoted");
  const base = { name: "canary", startedAt: started.at } as const;
  if (aborted !== undefined && aborted.sequence > (promoted?.sequence ?? 0)) {
    return { ...base, state: "failed", finishedAt: aborted.at, detail: aborted.title };
  }
  if (promoted !== undefined) return { ...base, state: "done", finishedAt: promoted.at, detail: "all steps passed" };
  if (rollout === undefined || rollout.status?.currentPodHash !== podHash) {
    return { ...base, state: "skipped", detail: "overtaken by a newer release" };
  }
  const state = rollout.status.phase === "Paused" ? "paused" : "running";
  const analysing = rollout.status.canary?.currentStepAnalysisRunStatus?.status === "Running";
  return { ...base, state, detail: `${weight} % of traffic${analysing ? ", analysis running" : ""}` };
}

function productionStage(
  events: readonly RecordedEvent[],
  rollout: Rollout | undefined,
  podHash: string,
): DeliveryStage {
  const promoted = last(events, "rollout-promoted");
  if (promoted === undefined) return waiting("production");
  const live = rollout !== undefined && rollout.status?.stableRS === podHash;
  const detail = live ? "serves all traffic" : "replaced by a newer release";
  return { name: "production", state: "done", startedAt: promoted.at, finishedAt: promoted.at, detail };
}

function waiting(name: StageName): DeliveryStage {
  return { name, state: "waiting", detail: "" };
}

/** What comes after a failed stage is not waited for any more. */
function skipAfterFailure(stages: readonly DeliveryStage[]): DeliveryStage[] {
  const failed = stages.findIndex((stage) => stage.state === "failed");
  return stages.map((stage, index) =>
    failed >= 0 && index > failed && stage.state === "waiting" ? { ...stage, state: "skipped" } : stage,
  );
}

function outcomeOf(stages: readonly DeliveryStage[], rollout: Rollout | undefined, podHash: string): DeliveryOutcome {
  const state = (name: StageName): DeliveryStage["state"] | undefined =>
    stages.find((stage) => stage.name === name)?.state;
  if (state("production") === "done") return rollout?.status?.stableRS === podHash ? "live" : "replaced";
  if (state("canary") === "failed") return "rolled-back";
  if (state("canary") === "skipped") return "replaced";
  if (stages.some((stage) => stage.state === "failed")) return "failed";
  // An environment's change that touches no rollout is live with its sync.
  if (state("build") === "skipped" && state("environment") === "done" && podHash === "") return "live";
  if (state("build") === "done" && state("environment") === "waiting" && state("canary") === "waiting") return "built";
  return "delivering";
}

function weightOf(rollout: Rollout, podHash: string): number {
  const { currentPodHash, stableRS, canary } = rollout.status ?? {};
  if (podHash === "" || podHash === undefined) return 0;
  const canaryShare = currentPodHash === stableRS ? 100 : (canary?.weights?.canary.weight ?? 0);
  if (podHash === currentPodHash) return canaryShare;
  return podHash === stableRS ? 100 - canaryShare : 0;
}

function last(events: readonly RecordedEvent[], kind: TimelineKind): RecordedEvent | undefined {
  return events.findLast((event) => event.kind === kind);
}

function text(event: RecordedEvent | undefined, key: string): string {
  const value = event?.data[key];
  return typeof value === "string" ? value : "";
}
