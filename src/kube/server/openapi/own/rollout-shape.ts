import type {
  CanaryStep,
  CanaryStrategy,
  RolloutAnalysis,
  RolloutSpec,
  RolloutStatus,
  TrafficSplit,
  TrafficWeights,
} from "#api";
import type { Schema } from "../../schema/schema.ts";
import {
  conditions,
  flag,
  item,
  labelSelector,
  list,
  number,
  numberOrText,
  object,
  oneOf,
  open,
  text,
  textsByName,
  time,
  upstreamType,
  whole,
} from "./shapes.ts";
import { dryRun, measurementRetention, templateReferences } from "./analysis-shape.ts";

function refused(instead: string): Schema {
  return open(`Refused here: ${instead}.`);
}

const rolloutArguments = list(
  "Values for the arguments of the templates.",
  item(
    {
      name: text("Name of the argument."),
      value: text("The value."),
      valueFrom: object("Where the value comes from, instead of value.", {
        podTemplateHashValue: oneOf("The hash of the new or of the stable revision.", ["Latest", "Stable"]),
        fieldRef: object("A field of the Rollout.", { fieldPath: text("Its path, such as metadata.name.") }),
      }),
    },
    ["name"],
  ),
);

const analysisFields: Record<keyof RolloutAnalysis, Schema> = {
  templates: templateReferences("Templates whose metrics are measured."),
  args: rolloutArguments,
  dryRun,
  measurementRetention,
  analysisRunMetadata: object("What the AnalysisRun is marked with.", {
    labels: textsByName("Labels of the run."),
    annotations: textsByName("Annotations of the run."),
  }),
};

const step = item<CanaryStep>({
  setWeight: whole("Percent of the requests that go to the new revision, 0 to 100; counted by the router."),
  pause: object("Waits; without a duration until somebody promotes.", {
    duration: numberOrText("How long: seconds, or a text such as 30s, 5m or 1h."),
  }),
  analysis: object(
    "Measures; a failure takes the new revision back, an unclear result waits for a person.",
    analysisFields,
  ),
  experiment: refused("use an analysis step"),
  plugin: refused("use an analysis step"),
  setCanaryScale: refused("pods are started as far as the step needs them"),
  setHeaderRoute: refused("there is no trafficRouting"),
  setMirrorRoute: refused("there is no trafficRouting"),
});

const metadataInstead = "put the metadata into spec.template.metadata";
const oneService = "one Service that selects both revisions is enough";

const canary = object<CanaryStrategy>("The new revision gets its share of the requests step by step.", {
  steps: list("What happens one after another, each one of these; all at once when there are none.", step),
  analysis: object("Measures beside the steps.", {
    ...analysisFields,
    startingStep: whole("Number of the step from which it measures; 0 is the first."),
  }),
  maxSurge: numberOrText("How many pods there may be above the number wished for; 25% when nothing is said."),
  maxUnavailable: numberOrText("How many pods may be missing meanwhile; 25% when nothing is said."),
  abortScaleDownDelaySeconds: whole(
    "Without effect here: pods of an aborted revision go once no request is on its way to them.",
  ),
  minPodsPerReplicaSet: whole("Without effect here."),
  replicaProgressThreshold: object("When a step has pods enough to go on.", {
    type: oneOf("How the value is meant.", ["Percent", "Pods"]),
    value: whole("How many pods are enough."),
  }),
  dynamicStableScale: flag("Refused here when true: it takes trafficRouting."),
  scaleDownDelaySeconds: whole("Refused here: it takes trafficRouting."),
  scaleDownDelayRevisionLimit: whole("Without effect here: it takes trafficRouting."),
  trafficRouting: refused("leave it out, the router divides the requests exactly by setWeight"),
  canaryService: text(`Refused here: ${oneService}.`),
  stableService: text(`Refused here: ${oneService}.`),
  pingPong: refused("leave it out"),
  antiAffinity: refused("put an affinity into spec.template.spec"),
  canaryMetadata: refused(metadataInstead),
  stableMetadata: refused(metadataInstead),
});

const spec = object<RolloutSpec>(
  "What is to run, and how a new revision takes over.",
  {
    replicas: whole("How many pods; one when nothing is said."),
    selector: labelSelector("Which pods are meant, by their labels; they must be on the template."),
    template: upstreamType(
      "io.k8s.api.core.v1.PodTemplateSpec",
      "Pattern of the pods; a change of it is a new revision.",
    ),
    strategy: object("How a new revision takes over.", {
      canary,
      blueGreen: refused("use canary"),
    }),
    minReadySeconds: whole("Seconds that a pod must have been ready before it counts as available."),
    revisionHistoryLimit: whole("How many old revisions are kept to go back to; ten when nothing is said."),
    paused: flag("True: the steps stand still."),
    progressDeadlineSeconds: whole(
      "Seconds without progress after which the rollout is Degraded; 600 when nothing is said.",
    ),
    progressDeadlineAbort: flag("True: it goes back to the stable revision then."),
    rollbackWindow: object("Going back without the steps.", {
      revisions: whole("How many of the last revisions one may go back to in that way."),
    }),
    restartAt: time("Pods that are older than this are replaced."),
    analysis: object("How many finished AnalysisRuns are kept.", {
      successfulRunHistoryLimit: whole("Of those that succeeded."),
      unsuccessfulRunHistoryLimit: whole("Of those that did not."),
    }),
    workloadRef: refused("put the pod template into spec.template"),
  },
  ["selector", "template", "strategy"],
);

const runStatus = {
  name: text("Name of the AnalysisRun."),
  status: text("Its phase."),
  message: text("Why it is so."),
};

const weightDestination = {
  weight: whole("Percent of the requests."),
  podTemplateHash: text("Hash of the revision."),
  serviceName: text("Service of the revision."),
};

const canaryStatus = object<NonNullable<RolloutStatus["canary"]>>("How far the steps are.", {
  currentStepAnalysisRunStatus: object("The analysis of the step.", runStatus),
  currentBackgroundAnalysisRunStatus: object("The analysis beside the steps.", runStatus),
  weights: object<TrafficWeights>("How the requests are divided.", {
    canary: object("To the new revision.", weightDestination),
    stable: object("To the stable revision.", weightDestination),
    additional: list("To others.", item(weightDestination)),
    verified: flag("Whether every router has it so."),
  }),
});

const status = object<RolloutStatus>("How far a rollout is; written by its controller.", {
  phase: oneOf("Where it is altogether.", ["Healthy", "Degraded", "Progressing", "Paused"]),
  message: text("Why it is there."),
  replicas: whole("Pods that there are."),
  updatedReplicas: whole("Pods of the newest revision."),
  readyReplicas: whole("Pods that are ready."),
  availableReplicas: whole("Pods that have been ready for minReadySeconds."),
  HPAReplicas: whole("Pods that an autoscaler counts."),
  selector: text("Labels of the pods, as an autoscaler reads them."),
  currentPodHash: text("Hash of the revision that is wished for."),
  stableRS: text("Hash of the revision that was last promoted in full."),
  currentStepIndex: whole("Number of the step; 0 is the first."),
  currentStepHash: text("Hash of the steps: another one starts them again."),
  pauseConditions: list(
    "Why it pauses.",
    item({ reason: text("Its cause in one word."), startTime: time("Since when.") }),
  ),
  controllerPause: flag("True from the moment it paused until the end of the pause was seen."),
  abort: flag("True: it was aborted and everything goes to the stable revision."),
  abortedAt: time("When it was aborted."),
  promoteFull: flag("True: the steps that are left are skipped."),
  restartedAt: time("The last restartAt that is done."),
  canary: canaryStatus,
  blueGreen: open("Not used here."),
  conditions: conditions("Answers about its state, such as InvalidSpec."),
  observedGeneration: text("Generation that the controller has seen, as a text."),
  collisionCount: whole("How often a name was taken already; part of the next one."),
});

export const rolloutShape = object(
  "Keeps pods running and takes a new revision into production step by step, with analyses, and back again.",
  { spec, status },
);

export const trafficSplitShape = object("How the router divides a workload's requests among its revisions.", {
  spec: object<TrafficSplit["spec"]>("The shares; written by the rollout controller.", {
    weights: list(
      "One for each revision; pods of others get no requests. They add up to 100.",
      item({
        podTemplateHash: text("Hash of the revision."),
        weight: number("Percent of the requests."),
      }),
    ),
  }),
  status: object<NonNullable<TrafficSplit["status"]>>("What the routers know; written by the router's controller.", {
    observedGeneration: whole("Generation that every router has in its table."),
  }),
});
