import { conditionFields, type Descriptions, inPackage, labelSelectorText } from "./shared.ts";

const template = "Pattern of the pods.";
const selector = `${labelSelectorText} They must be on the template and cannot be changed.`;
const minReadySeconds = "Seconds that a pod must have been ready before it counts as available.";
const revisionHistoryLimit = "How many old revisions are kept to go back to; ten when nothing is said.";
const observedGeneration = "Generation that the controller has seen.";
const collisionCount = "How often a name was taken already; part of the next one.";
const conditions = "Answers about its state.";
const conditionOf = { "": "One answer about the state of a set of pods.", ...conditionFields };

const apps: Descriptions = inPackage("io.k8s.api.apps.v1", {
  Deployment: {
    "": "Keeps a number of equal pods running and replaces them without a gap when their template changes.",
  },
  DeploymentSpec: {
    "": "What a Deployment is asked to keep.",
    replicas: "How many pods; one when nothing is said.",
    selector,
    template,
    strategy: "How old pods are replaced by new ones.",
    minReadySeconds,
    revisionHistoryLimit,
    paused: "True: changes of the template wait.",
    progressDeadlineSeconds: "Seconds without progress after which it says that it is stuck; 600 when nothing is said.",
  },
  DeploymentStrategy: {
    type: "RollingUpdate, or Recreate, which ends all old ones first.",
    rollingUpdate: "Bounds of a rolling update.",
  },
  RollingUpdateDeployment: {
    maxSurge: "How many pods there may be above the number wished for; 25% when nothing is said.",
    maxUnavailable: "How many pods may be missing meanwhile; 25% when nothing is said.",
  },
  DeploymentStatus: {
    "": "How far a Deployment is.",
    replicas: "Pods that there are.",
    updatedReplicas: "Pods of the newest template.",
    readyReplicas: "Pods that are ready.",
    availableReplicas: "Pods that have been ready for minReadySeconds.",
    unavailableReplicas: "Pods that are missing or not available.",
    terminatingReplicas: "Pods that are ending; not counted here.",
    conditions: "Whether it is available and whether it gets on.",
    observedGeneration,
    collisionCount,
  },
  DeploymentCondition: { ...conditionOf, lastUpdateTime: "When it was last said." },
  ReplicaSet: {
    "": "Keeps a number of equal pods running. Deployments and Rollouts make them; seldom written by hand.",
  },
  ReplicaSetSpec: {
    "": "What a ReplicaSet is asked to keep.",
    replicas: "How many pods; one when nothing is said.",
    selector,
    template,
    minReadySeconds,
  },
  ReplicaSetStatus: {
    "": "How many pods there are.",
    replicas: "Pods that there are.",
    fullyLabeledReplicas: "Pods with all labels of the template.",
    readyReplicas: "Pods that are ready.",
    availableReplicas: "Pods that have been ready for minReadySeconds.",
    terminatingReplicas: "Pods that are ending; not counted here.",
    conditions,
    observedGeneration,
  },
  ReplicaSetCondition: conditionOf,
  StatefulSet: { "": "Keeps pods that have a number, a name and storage of their own, such as those of a database." },
  StatefulSetSpec: {
    "": "What a StatefulSet is asked to keep.",
    replicas: "How many pods; one when nothing is said.",
    selector,
    template,
    serviceName: "Headless Service below which each pod has its name.",
    volumeClaimTemplates: "Patterns of the claims that each pod gets and keeps.",
    podManagementPolicy: "OrderedReady makes one pod after another, Parallel all at once.",
    updateStrategy: "How pods come to a new template.",
    minReadySeconds,
    revisionHistoryLimit,
    ordinals: "Which numbers the pods have.",
    persistentVolumeClaimRetentionPolicy: "When claims go too; never when nothing is said.",
  },
  StatefulSetOrdinals: { start: "The first number; 0 when nothing is said." },
  StatefulSetPersistentVolumeClaimRetentionPolicy: {
    whenDeleted: "Retain or Delete, when the set is deleted.",
    whenScaled: "Retain or Delete, when there are to be fewer pods.",
  },
  StatefulSetUpdateStrategy: {
    type: "RollingUpdate from the last to the first, or OnDelete, when somebody deletes them.",
    rollingUpdate: "Bounds of a rolling update.",
  },
  RollingUpdateStatefulSetStrategy: {
    maxUnavailable: "How many pods are replaced at once; one when nothing is said.",
    partition: "Pods with a smaller number keep the old template.",
  },
  StatefulSetStatus: {
    "": "How far a StatefulSet is.",
    replicas: "Pods that there are.",
    readyReplicas: "Pods that are ready.",
    availableReplicas: "Pods that have been ready for minReadySeconds.",
    currentReplicas: "Pods of currentRevision.",
    updatedReplicas: "Pods of updateRevision.",
    currentRevision: "Revision that pods are coming from.",
    updateRevision: "Revision that pods are going to.",
    conditions,
    observedGeneration,
    collisionCount,
  },
  StatefulSetCondition: conditionOf,
  DaemonSet: { "": "Keeps one pod on each node that is meant. Here that is one pod: there is one node." },
  DaemonSetSpec: {
    "": "What a DaemonSet is asked to keep.",
    selector,
    template,
    updateStrategy: "How the pod comes to a new template.",
    minReadySeconds,
    revisionHistoryLimit,
  },
  DaemonSetUpdateStrategy: {
    type: "RollingUpdate, or OnDelete, when somebody deletes them.",
    rollingUpdate: "Bounds of a rolling update.",
  },
  RollingUpdateDaemonSet: {
    maxSurge: "On how many nodes the new pod comes before the old one goes.",
    maxUnavailable: "On how many nodes the pod may be missing meanwhile.",
  },
  DaemonSetStatus: {
    "": "How far a DaemonSet is.",
    desiredNumberScheduled: "Nodes that are meant.",
    currentNumberScheduled: "Nodes that are meant and have a pod.",
    numberMisscheduled: "Nodes that have a pod and are not meant.",
    numberReady: "Nodes whose pod is ready.",
    numberAvailable: "Nodes whose pod has been ready for minReadySeconds.",
    numberUnavailable: "Nodes whose pod is missing or not available.",
    updatedNumberScheduled: "Nodes whose pod is of the newest template.",
    conditions,
    observedGeneration,
    collisionCount,
  },
  DaemonSetCondition: conditionOf,
  ControllerRevision: {
    "": "A template that a StatefulSet or DaemonSet has or had, to go back to.",
    data: "The template.",
    revision: "Number of the revision; the greatest is the newest.",
  },
});

const batch: Descriptions = inPackage("io.k8s.api.batch.v1", {
  Job: { "": "Runs pods until enough of them have succeeded." },
  JobTemplateSpec: {
    metadata: "Labels and annotations of each Job.",
    spec: "What each Job has to do.",
  },
  JobSpec: {
    template: "Pattern of the pods; restartPolicy must be Never or OnFailure.",
    completions: "How many pods must succeed; one when nothing is said.",
    parallelism: "How many pods run at once; one when nothing is said.",
    completionMode: "NonIndexed, or Indexed, where each pod has a number and each number must succeed once.",
    backoffLimit: "How many failed pods are made anew before the Job has failed; six when nothing is said.",
    backoffLimitPerIndex: "The same for each number of an Indexed Job.",
    maxFailedIndexes: "How many numbers may fail before the Job has failed.",
    activeDeadlineSeconds: "Seconds after which the Job is ended and has failed.",
    podFailurePolicy: "What a failed pod means, by its exit code or its conditions.",
    podReplacementPolicy: "TerminatingOrFailed, or Failed: a new pod only when the old one has ended.",
    successPolicy: "When an Indexed Job has succeeded before all numbers have.",
    suspend: "True: pods are ended and none are made.",
    ttlSecondsAfterFinished: "Seconds after its end that the Job is deleted; never when nothing is said.",
    selector: "Labels of the pods; set by the system.",
    manualSelector: "True: the selector is yours to choose.",
    managedBy: "Who runs the Job, when it is not this system.",
  },
  PodFailurePolicy: { "": "What failed pods mean.", rules: "The first that fits counts." },
  PodFailurePolicyRule: {
    "": "What some failed pods mean.",
    action: "FailJob, FailIndex, Ignore or Count.",
    onExitCodes: "Fits by exit codes.",
    onPodConditions: "Fits by conditions of the pod.",
  },
  PodFailurePolicyOnExitCodesRequirement: {
    containerName: "The container; any one when nothing is said.",
    operator: "In or NotIn.",
    values: "The exit codes.",
  },
  PodFailurePolicyOnPodConditionsPattern: {
    "": "A condition that the pod must have.",
    status: "Its status; True when nothing is said.",
    type: "Its type, such as DisruptionTarget.",
  },
  SuccessPolicy: { rules: "One that fits is enough." },
  SuccessPolicyRule: {
    "": "Numbers that must have succeeded.",
    succeededCount: "How many of them.",
    succeededIndexes: "Which ones, such as 0-3,7; any when nothing is said.",
  },
  JobStatus: {
    "": "How far a Job is.",
    active: "Pods that run or wait.",
    ready: "Pods that are ready.",
    succeeded: "Pods that succeeded.",
    failed: "Pods that failed.",
    terminating: "Pods that are ending.",
    startTime: "When it began, or was last resumed.",
    completionTime: "When it succeeded.",
    completedIndexes: "Numbers that succeeded, such as 0-3,7.",
    failedIndexes: "Numbers that failed.",
    conditions: "Whether it is complete, failed or suspended, and why.",
    uncountedTerminatedPods: "Pods that ended and are not in the counts yet.",
  },
  UncountedTerminatedPods: {
    "": "They are named by their ids.",
    failed: "Those that failed.",
    succeeded: "Those that succeeded.",
  },
  JobCondition: {
    "": "One answer about the state of a Job.",
    ...conditionFields,
    lastProbeTime: "When it was last said.",
  },
  CronJob: { "": "Makes Jobs by the clock." },
  CronJobSpec: {
    "": "Which Jobs are made, and when.",
    schedule: "When: five fields as in cron, @hourly and its like, or @every 90s.",
    timeZone: "Time zone of the schedule, such as Europe/Berlin; that of the machine when nothing is said.",
    jobTemplate: "Pattern of the Jobs.",
    concurrencyPolicy: "While the last Job still runs: Allow another one, Forbid it, or Replace the last.",
    startingDeadlineSeconds: "How late a Job may still be made.",
    suspend: "True: no more Jobs are made.",
    successfulJobsHistoryLimit: "How many Jobs that succeeded are kept; three when nothing is said.",
    failedJobsHistoryLimit: "How many Jobs that failed are kept; one when nothing is said.",
  },
  CronJobStatus: {
    "": "What a CronJob has done.",
    active: "Jobs that run.",
    lastScheduleTime: "Time of the schedule that the last Job was made for.",
    lastSuccessfulTime: "When a Job last succeeded.",
  },
});

/** What keeps pods running, and what runs them to an end. */
export const workloadDescriptions: Descriptions = { ...apps, ...batch };
