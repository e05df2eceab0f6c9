import type {
  Application,
  ApplicationDestination,
  ApplicationSource,
  ApplicationStatus,
  Operation,
  OperationState,
  ResourceIgnoreDifferences,
  ResourceResult,
  ResourceStatus,
  RetryStrategy,
  RevisionHistory,
  SyncOperation,
  SyncPolicy,
} from "#api";
import type { Schema } from "../../schema/schema.ts";
import {
  flag,
  item,
  list,
  number,
  numberOrText,
  object,
  oneOf,
  open,
  text,
  texts,
  textsByName,
  time,
  whole,
} from "./shapes.ts";

const noHelm = "Refused here: put what the chart renders into the repository.";

const kustomize = object("What is changed of a Kustomize build.", {
  namePrefix: text("Put before each name."),
  nameSuffix: text("Put behind each name."),
  namespace: text("Namespace of all objects."),
  images: texts("Images in place of others: [old=]name[:tag][@digest]."),
  replicas: list("Numbers of pods.", item({ name: text("Its name."), count: numberOrText("The number.") })),
  commonLabels: textsByName("Labels on all objects and selectors."),
  commonAnnotations: textsByName("Annotations on all objects."),
  labelWithoutSelector: flag("True: commonLabels leave selectors alone."),
  labelIncludeTemplates: flag("True: pods get them all the same."),
  patches: list(
    "Patches.",
    item({
      path: text("File with it."),
      patch: text("Its text."),
      target: textsByName("Which objects it is for."),
      options: open("Whether it may change kind or name."),
    }),
  ),
});

const source = object<ApplicationSource>(
  "What is taken from where.",
  {
    repoURL: text("Address of the git repository."),
    path: text("Folder in it."),
    targetRevision: text("Branch, tag or commit; the default branch when nothing is said."),
    directory: object("How plain files are taken.", {
      recurse: flag("True: folders below too."),
      include: text("Files to take, as a pattern."),
      exclude: text("Files to leave, as a pattern."),
      jsonnet: open("Refused here."),
    }),
    kustomize,
    chart: text(noHelm),
    helm: open(noHelm),
    plugin: open("Refused here."),
    ref: text("Name for other sources to mean; several sources are refused here."),
  },
  ["repoURL"],
);

const destination = object<ApplicationDestination>("Where the objects go.", {
  server: text("The cluster: https://kubernetes.default.svc, which is this one."),
  name: text("The cluster by name: in-cluster, which is this one."),
  namespace: text("Namespace of objects that name none."),
});

const retry = object<RetryStrategy>("What happens when a sync fails.", {
  limit: whole("How many more tries; below 0 without end."),
  backoff: object("The pauses between them.", {
    duration: text("The first pause, such as 5s."),
    factor: number("How much longer each next one is."),
    maxDuration: text("The longest pause, such as 3m."),
  }),
  refresh: flag("True: another try takes the newest revision."),
});

const ignoreDifferences = list(
  "Differences that do not count.",
  item<ResourceIgnoreDifferences>(
    {
      group: text("Group of the kind."),
      kind: text("The kind."),
      name: text("Name of the object."),
      namespace: text("Its namespace."),
      jsonPointers: texts("Fields by JSON pointers, such as /spec/replicas."),
      jqPathExpressions: texts("Refused here: use jsonPointers."),
      managedFieldsManagers: texts("Refused here: use jsonPointers."),
    },
    ["kind"],
  ),
);

const nameAndValue = object("A note.", { name: text("What it is."), value: text("What it says.") });

const syncPolicy = object<SyncPolicy>("When and how it is synced.", {
  automated: object("Syncs by itself. Absent: only when somebody says so.", {
    prune: flag("True: what is no longer in the repository is deleted."),
    selfHeal: flag("True: changes in the cluster are undone."),
    allowEmpty: flag("True: an empty folder may delete everything."),
    enabled: flag("False: not by itself for now."),
  }),
  syncOptions: texts("Options such as CreateNamespace=true; one without effect is told as a condition."),
  retry,
  managedNamespaceMetadata: object("What a namespace made by CreateNamespace is marked with.", {
    labels: textsByName("Its labels."),
    annotations: textsByName("Its annotations."),
  }),
});

const spec = object<Application["spec"]>(
  "What of which repository runs where.",
  {
    project: text("AppProject that it is in; default when nothing is said."),
    source,
    sources: list("Refused here: use one source.", item({})),
    sourceHydrator: open("Refused here: use source."),
    destination,
    syncPolicy,
    ignoreDifferences,
    info: list("Notes for people.", nameAndValue),
    revisionHistoryLimit: whole("How many revisions one can go back to; ten when nothing is said."),
  },
  ["destination"],
);

const initiatedBy = object("Who asked for it.", {
  username: text("Name of the user."),
  automated: flag("True: the system itself."),
});

const operation = object<Operation>("Asks for a sync; taken away when it begins.", {
  sync: object<SyncOperation>("The sync.", {
    revision: text("Revision to take instead of the newest."),
    prune: flag("True: what is no longer in the repository is deleted."),
    dryRun: flag("True: only told, not done."),
    resources: list(
      "Only these objects.",
      item({
        group: text("Group of its kind."),
        kind: text("Its kind."),
        name: text("Its name."),
        namespace: text("Its namespace."),
      }),
    ),
    syncOptions: texts("Options of this sync."),
    syncStrategy: object("How objects are written.", {
      apply: object("Without hooks.", { force: flag("True: what cannot be changed is made anew.") }),
      hook: object("With hooks.", { force: flag("True: what cannot be changed is made anew.") }),
    }),
    source,
    manifests: texts("Objects to take instead of the repository's."),
    selfHealAttemptsCount: whole("How many syncs of self-heal followed one another."),
  }),
  retry,
  initiatedBy,
  info: list("Notes for people.", nameAndValue),
});

function syncResult(): Schema {
  return object("What was done.", {
    revision: text("Revision that was taken."),
    source,
    resources: list(
      "One for each object.",
      item<ResourceResult>({
        group: text("Group of its kind."),
        version: text("Version of its kind."),
        kind: text("Its kind."),
        namespace: text("Its namespace."),
        name: text("Its name."),
        status: oneOf("How it went.", ["Synced", "SyncFailed", "Pruned", "PruneSkipped"]),
        message: text("Why it went so."),
        syncPhase: text("PreSync, Sync, PostSync or SyncFail."),
        hookType: text("Which hook it is."),
        hookPhase: text("How the hook went; of others whether they are there and healthy."),
      }),
    ),
  });
}

const health = oneOf("How it is.", ["Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown"]);
const syncStatus = oneOf("Whether cluster and repository agree.", ["Synced", "OutOfSync", "Unknown"]);

const status = object<ApplicationStatus>("How far cluster and repository agree; written by the controller.", {
  sync: object("Whether cluster and repository agree.", {
    status: syncStatus,
    revision: text("Commit that was compared with."),
    comparedTo: object("What was compared.", { source, destination, ignoreDifferences }),
  }),
  health: object("How its objects are altogether.", { status: health, lastTransitionTime: time("Since when.") }),
  operationState: object<OperationState>("The sync that runs or ran last.", {
    operation,
    phase: oneOf("Where it is.", ["Running", "Terminating", "Failed", "Error", "Succeeded"]),
    message: text("Why it is there."),
    startedAt: time("When it began."),
    finishedAt: time("When it ended."),
    retryCount: whole("How often it was tried again."),
    syncResult: syncResult(),
  }),
  history: list(
    "Revisions that were synced.",
    item<RevisionHistory>({
      id: whole("Number to go back to."),
      revision: text("The commit."),
      source,
      deployedAt: time("When it was in place."),
      deployStartedAt: time("When its sync began."),
      initiatedBy,
    }),
  ),
  resources: list(
    "Its objects.",
    item<ResourceStatus>({
      group: text("Group of its kind."),
      version: text("Version of its kind."),
      kind: text("Its kind."),
      namespace: text("Its namespace."),
      name: text("Its name."),
      status: syncStatus,
      health: object("How it is.", { status: health, message: text("Why it is so.") }),
      hook: flag("Whether it is a hook."),
      requiresPruning: flag("Whether a sync would delete it."),
      syncWave: whole("Its wave."),
    }),
  ),
  conditions: list(
    "What is wrong, or worth knowing.",
    item({
      type: text("Which thing, such as ComparisonError or SharedResourceWarning."),
      message: text("What it is."),
      lastTransitionTime: time("Since when."),
    }),
  ),
  reconciledAt: time("When it was last compared."),
  summary: object("What is in it.", {
    images: texts("Images of its pods."),
    externalURLs: texts("Addresses it is reached at."),
  }),
  sourceType: text("Kustomize or Directory."),
  controllerNamespace: text("Namespace of the controller."),
});

export const applicationShape = object(
  "How a namespace is to be: as a folder of a git repository says. It is compared with the cluster and synced.",
  { spec, operation, status },
);

function kinds(description: string): Schema {
  return list(
    description,
    item({
      group: text("Their group; * for all."),
      kind: text("The kind; * for all."),
      name: text("Name of the object, as a pattern."),
    }),
  );
}

export const appProjectShape = object("Which repositories may go where, for the applications that name it.", {
  spec: object("What its applications may.", {
    description: text("What it is for."),
    sourceRepos: texts("Repositories that may be taken, as patterns; ! in front forbids."),
    destinations: list("Where they may go, as patterns.", destination),
    sourceNamespaces: texts("Namespaces besides argocd in which its applications may be."),
    clusterResourceWhitelist: kinds("Kinds of the whole cluster that may be written; none when nothing is said."),
    clusterResourceBlacklist: kinds("Kinds of the whole cluster that may not be written."),
    namespaceResourceWhitelist: kinds("Kinds in namespaces that may be written; all when nothing is said."),
    namespaceResourceBlacklist: kinds("Kinds in namespaces that may not be written."),
    syncWindows: list("Not enforced here: applications of a project that has any are refused.", item({})),
    roles: list("Recorded and without effect: rights are RBAC.", item({})),
    orphanedResources: open("Recorded and without effect."),
    signatureKeys: list("Recorded and without effect.", item({ keyID: text("Its id.") })),
  }),
  status: open("Not used here."),
});
