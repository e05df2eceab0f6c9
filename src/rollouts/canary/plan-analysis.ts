/**
 * Analyses of a canary: what the current runs mean, which to start and which to end. A run is named in the status before
 * it is made, so that a crash in between neither loses it nor makes a second one.
 */
import {
  analysisRuns,
  type AnalysisRun,
  apiVersionOf,
  type CurrentAnalysisRun,
  isFinished,
  podTemplateHashLabel,
  revisionAnnotation,
  type RolloutAnalysis,
} from "#api";
import type { Problem } from "#lib";
import { preciseTime } from "../timestamps.ts";
import { analysisSpec } from "./analysis-spec.ts";
import { event, findRun, isFullyPromoted, isStableDesired, type Situation } from "./situation.ts";
import { isControlledBy, ownerReference } from "./revisions.ts";
import { currentIndex, currentStep } from "./steps.ts";

export const stepIndexLabel = "step-index";
const runTypeLabel = "rollout-type";

type RunType = "Step" | "Background";
const statusFields = {
  Step: "currentStepAnalysisRunStatus",
  Background: "currentBackgroundAnalysisRunStatus",
} as const;

/** Abort or pause, if a current run says so. Comes first in a plan: the split depends on it. */
export function applyVerdicts(situation: Situation): void {
  if (situation.changed || isCancelled(situation)) return;
  const step = currentRun(situation, "Step");
  const paused = (situation.draft.pauseConditions ?? []).length > 0;
  if (!paused && step !== undefined && isOfCurrentStep(situation, step) && !needsNew(situation, step)) {
    applyVerdict(situation, step, "Step-based analysis phase error/failed");
  }
  const background = currentRun(situation, "Background");
  const wanted = situation.rollout.spec.strategy.canary?.analysis;
  if (wanted === undefined || background === undefined || isInconclusive(situation)) return;
  if (needsNew(situation, background)) return;
  applyVerdict(situation, background, "Background analysis phase error/failed");
}

function applyVerdict(situation: Situation, run: AnalysisRun, title: string): void {
  const { draft, now } = situation;
  const { phase = "", message = "" } = run.status ?? {};
  if (phase === "Inconclusive") {
    if (isInconclusive(situation)) return;
    const pause = { reason: "InconclusiveAnalysisRun", startTime: preciseTime(now) } as const;
    draft.pauseConditions = [...(draft.pauseConditions ?? []), pause];
    draft.controllerPause = true;
  }
  if (phase !== "Failed" && phase !== "Error") return;
  draft.abort = true;
  situation.abortMessage ??= message === "" ? title : `${title}: ${message}`;
}

export function isInconclusive({ draft }: Situation): boolean {
  return (draft.pauseConditions ?? []).some(({ reason }) => reason === "InconclusiveAnalysisRun");
}

/** No analysis makes sense: nothing is under test, or its outcome no longer matters. */
function isCancelled(situation: Situation): boolean {
  const { draft, withinWindow } = situation;
  const settled = isFullyPromoted(situation) || isStableDesired(situation) || withinWindow;
  return settled || draft.abort === true || draft.promoteFull === true || !draft.stableRS;
}

function currentRun(situation: Situation, type: RunType): AnalysisRun | undefined {
  const run = findRun(situation, situation.draft.canary?.[statusFields[type]]?.name);
  return run !== undefined && isControlledBy(situation.rollout, run) ? run : undefined;
}

function isOfCurrentStep(situation: Situation, run: AnalysisRun): boolean {
  const index = currentIndex(situation.rollout, situation.draft);
  return index !== undefined && run.metadata.labels?.[stepIndexLabel] === String(index);
}

/**
 * After a resumed inconclusive pause (the controller paused, and nothing pauses any more) and after a retry the run that
 * has ended is replaced by a new one.
 */
function needsNew({ before }: Situation, run: AnalysisRun): boolean {
  const stepPause = (before.pauseConditions ?? []).some(({ reason }) => reason === "CanaryPauseStep");
  if (before.controllerPause === true && !stepPause) {
    return (before.pauseConditions ?? []).length === 0 && run.status?.phase === "Inconclusive";
  }
  return before.abortedAt !== undefined;
}

/** Starts, follows and ends runs. Returns what keeps a run from being made. */
export function planAnalysis(situation: Situation): Problem | undefined {
  const cancelled = isCancelled(situation);
  const problem = cancelled ? undefined : (planStepRun(situation) ?? planBackgroundRun(situation));
  if (cancelled) {
    dropRun(situation, "Step");
    dropRun(situation, "Background");
  }
  endOtherRuns(situation);
  return problem;
}

function dropRun({ draft }: Situation, type: RunType): void {
  if (draft.canary !== undefined) delete draft.canary[statusFields[type]];
}

function planStepRun(situation: Situation): Problem | undefined {
  const { rollout, draft } = situation;
  const named = draft.canary?.currentStepAnalysisRunStatus;
  if ((draft.pauseConditions ?? []).length > 0) {
    follow(situation, "Step");
    return undefined;
  }
  const index = currentIndex(rollout, draft);
  const analysis = currentStep(rollout, draft)?.analysis;
  const run = currentRun(situation, "Step");
  const ofEarlierStep = run !== undefined && !isOfCurrentStep(situation, run);
  if (index === undefined || analysis === undefined || ofEarlierStep) dropRun(situation, "Step");
  if (index === undefined || analysis === undefined) return undefined;
  return keepOrStart(situation, "Step", { analysis, index, named: ofEarlierStep ? undefined : named });
}

function planBackgroundRun(situation: Situation): Problem | undefined {
  const { rollout, draft } = situation;
  const analysis = rollout.spec.strategy.canary?.analysis;
  const index = currentIndex(rollout, draft);
  const early = index !== undefined && index < (analysis?.startingStep ?? 0);
  if (analysis === undefined || early) {
    dropRun(situation, "Background");
    return undefined;
  }
  if (isInconclusive(situation)) {
    follow(situation, "Background");
    return undefined;
  }
  const named = draft.canary?.currentBackgroundAnalysisRunStatus;
  return keepOrStart(situation, "Background", { analysis, index: undefined, named });
}

interface WantedRun {
  readonly analysis: RolloutAnalysis;
  readonly index: number | undefined;
  readonly named: CurrentAnalysisRun | undefined;
}

function keepOrStart(situation: Situation, type: RunType, wanted: WantedRun): Problem | undefined {
  const run = currentRun(situation, type);
  if (wanted.named !== undefined && run !== undefined && !needsNew(situation, run)) {
    follow(situation, type);
    return undefined;
  }
  // Named but not there: its making was cut short. Something else of that name does not count.
  const taken = wanted.named !== undefined && findRun(situation, wanted.named.name) !== undefined;
  const name = wanted.named === undefined || taken ? freeName(situation, wanted.index) : wanted.named.name;
  const spec = analysisSpec(situation, wanted.analysis);
  if (spec.kind === "refused") {
    const at = wanted.index === undefined ? "analysis" : `steps[${wanted.index}].analysis`;
    return { path: `spec.strategy.canary.${at}`, message: spec.message };
  }
  situation.draft.canary = { ...situation.draft.canary, [statusFields[type]]: { name, status: "" } };
  situation.later.push({ kind: "createAnalysisRun", run: newRun(situation, type, wanted, name, spec.value) });
  return undefined;
}

/** `<rollout>-<hash>-<revision>[-<step>]`, then with `.1`, `.2`, … for every further try. */
function freeName(situation: Situation, index: number | undefined): string {
  const { rollout, revisions } = situation;
  const base = [rollout.metadata.name, revisions.hash, revisions.number, ...(index === undefined ? [] : [index])].join(
    "-",
  );
  let name = base;
  for (let count = 1; findRun(situation, name) !== undefined; count++) name = `${base}.${count}`;
  return name;
}

function newRun(
  { rollout, revisions }: Situation,
  type: RunType,
  { analysis, index }: WantedRun,
  name: string,
  spec: AnalysisRun["spec"],
): AnalysisRun {
  const { labels = {}, annotations = {} } = analysis.analysisRunMetadata ?? {};
  return {
    apiVersion: apiVersionOf(analysisRuns),
    kind: analysisRuns.kind,
    metadata: {
      name,
      ...(rollout.metadata.namespace === undefined ? {} : { namespace: rollout.metadata.namespace }),
      labels: {
        ...labels,
        ...rollout.spec.selector.matchLabels,
        [podTemplateHashLabel]: revisions.hash,
        [runTypeLabel]: type,
        ...(index === undefined ? {} : { [stepIndexLabel]: String(index) }),
      },
      annotations: { ...annotations, [revisionAnnotation]: String(revisions.number) },
      ownerReferences: [ownerReference(rollout)],
    },
    spec,
  };
}

/** Copies the run's phase into the status, with an event when it changed. */
function follow(situation: Situation, type: RunType): void {
  const run = currentRun(situation, type);
  const field = statusFields[type];
  const old = situation.draft.canary?.[field];
  if (run === undefined || old === undefined) return;
  const { phase = "", message } = run.status ?? {};
  const next: CurrentAnalysisRun = { name: old.name, status: phase, ...(message === undefined ? {} : { message }) };
  situation.draft.canary = { ...situation.draft.canary, [field]: next };
  if (phase === "" || phase === old.status) return;
  const previous = old.status === "" ? "NoPreviousStatus" : old.status;
  const text = `${type} Analysis Run '${old.name}' Status New: '${phase}' Previous: '${previous}'`;
  event(situation, `AnalysisRun${phase}`, text, phase === "Failed" || phase === "Error" ? "Warning" : "Normal");
}

/** Ends runs nobody waits for, and removes old ones beyond the history limits or of revisions that are gone. */
function endOtherRuns(situation: Situation): void {
  const { rollout, draft, observed, later } = situation;
  const current = new Set([
    draft.canary?.currentStepAnalysisRunStatus?.name,
    draft.canary?.currentBackgroundAnalysisRunStatus?.name,
  ]);
  const others = observed.analysisRuns.filter(
    (run) =>
      isControlledBy(rollout, run) && !current.has(run.metadata.name) && run.metadata.deletionTimestamp === undefined,
  );
  const finished = others.filter((run) => isFinished(run.status?.phase ?? ""));
  for (const run of others) {
    if (finished.includes(run) || run.spec.terminate === true) continue;
    later.push({ kind: "terminateAnalysisRun", name: run.metadata.name });
  }
  const { successfulRunHistoryLimit = 5, unsuccessfulRunHistoryLimit = 5 } = rollout.spec.analysis ?? {};
  const newestFirst = finished.toSorted((a, b) =>
    (a.metadata.creationTimestamp ?? "") < (b.metadata.creationTimestamp ?? "") ? 1 : -1,
  );
  const good = newestFirst.filter((run) => run.status?.phase === "Successful");
  const bad = newestFirst.filter((run) => run.status?.phase !== "Successful");
  const hashes = new Set([
    situation.revisions.hash,
    ...observed.replicaSets.map((set) => set.metadata.labels?.[podTemplateHashLabel]),
  ]);
  const orphans = finished.filter((run) => !hashes.has(run.metadata.labels?.[podTemplateHashLabel]));
  const old = new Set([
    ...good.slice(successfulRunHistoryLimit),
    ...bad.slice(unsuccessfulRunHistoryLimit),
    ...orphans,
  ]);
  for (const run of old) later.push({ kind: "deleteAnalysisRun", name: run.metadata.name });
}
