import { conditionFields, type Descriptions, inPackage, labelSelectorText } from "./shared.ts";

const policy: Descriptions = inPackage("io.k8s.api.policy.v1", {
  PodDisruptionBudget: { "": "How many pods must stay when somebody evicts, as kubectl drain does." },
  PodDisruptionBudgetSpec: {
    "": "Which pods, and how many must stay.",
    selector: labelSelectorText,
    minAvailable: "How many must stay ready, as a number or a percentage; or say maxUnavailable.",
    maxUnavailable: "How many may be missing, as a number or a percentage; or say minAvailable.",
    unhealthyPodEvictionPolicy:
      "Whether pods that are not ready may always be evicted: IfHealthyBudget or AlwaysAllow.",
  },
  PodDisruptionBudgetStatus: {
    "": "How many pods may go now.",
    disruptionsAllowed: "How many may be evicted now.",
    currentHealthy: "Pods that are ready.",
    desiredHealthy: "Pods that must be ready.",
    expectedPods: "Pods that there should be.",
    disruptedPods: "Pods that were evicted and are not gone yet, and since when.",
    conditions: "Whether evictions are allowed, and why not.",
    observedGeneration: "Generation that the controller has seen.",
  },
});

const access: Descriptions = inPackage("io.k8s.api.rbac.v1", {
  Role: { "": "Rights within a namespace; a RoleBinding gives them to somebody.", rules: "The rights." },
  ClusterRole: {
    "": "Rights in the whole cluster, or in each namespace that binds it.",
    rules: "The rights; filled in by the system where there is an aggregationRule.",
    aggregationRule: "Other ClusterRoles whose rights it has.",
  },
  AggregationRule: {
    clusterRoleSelectors: "The roles, by their labels.",
  },
  PolicyRule: {
    "": "What may be done with what.",
    verbs: "What may be done: get, list, watch, create, update, patch, delete and others; * for all.",
    apiGroups: "Groups of the kinds; empty for the core group, * for all.",
    resources: "Kinds by their plural names, parts of them as pods/log; * for all.",
    resourceNames: "Names of objects, when only these are meant.",
    nonResourceURLs: "Paths that are no objects, such as /healthz; in ClusterRoles.",
  },
  RoleBinding: {
    "": "Gives the rights of a role to somebody, within its namespace.",
    roleRef: "The role. It cannot be changed: make another binding.",
    subjects: "Who gets them.",
  },
  ClusterRoleBinding: {
    "": "Gives the rights of a ClusterRole to somebody, in the whole cluster.",
    roleRef: "The role. It cannot be changed: make another binding.",
    subjects: "Who gets them.",
  },
  RoleRef: {
    apiGroup: "Always rbac.authorization.k8s.io.",
    kind: "Role or ClusterRole.",
    name: "Its name.",
  },
  Subject: {
    apiGroup: "rbac.authorization.k8s.io for users and groups, empty for accounts.",
    kind: "User, Group or ServiceAccount.",
    name: "Name of the user, group or account.",
    namespace: "Namespace of an account.",
  },
});

const coordination: Descriptions = inPackage("io.k8s.api.coordination.v1", {
  Lease: { "": "Who leads, and until when; programs agree by it which of them acts." },
  LeaseSpec: {
    "": "Who leads, and until when.",
    holderIdentity: "Who leads.",
    leaseDurationSeconds: "Seconds after renewTime that others may take it.",
    acquireTime: "When the leader got it.",
    renewTime: "When the leader last held on to it.",
    leaseTransitions: "How often the leader changed.",
    preferredHolder: "Who should lead. Recorded and without effect.",
    strategy: "How a leader is chosen. Recorded and without effect: whoever writes first leads.",
  },
});

const events: Descriptions = inPackage("io.k8s.api.events.v1", {
  Event: {
    "": "Something that happened to an object, in the newer form; kept as an Event of the core group.",
    action: "What was done.",
    deprecatedCount: "How often it happened, in the older form.",
    deprecatedFirstTimestamp: "When it happened first, in the older form.",
    deprecatedLastTimestamp: "When it happened last, in the older form.",
    deprecatedSource: "Who tells it, in the older form.",
    eventTime: "When it was first seen.",
    note: "What happened, for people.",
    reason: "What happened, in one word.",
    regarding: "The object that it happened to.",
    related: "Another object that it is about.",
    reportingController: "Controller that tells it.",
    reportingInstance: "Which instance of the controller.",
    series: "How often and when it was repeated.",
    type: "Normal or Warning.",
  },
  EventSeries: {
    "": "Repetitions of an event.",
    count: "How many there were.",
    lastObservedTime: "When the last one was seen.",
  },
});

const scheduling: Descriptions = inPackage("io.k8s.api.scheduling.v1", {
  PriorityClass: {
    "": "A rank for pods. Recorded and without effect: nothing is preempted.",
    description: "What the class is for.",
    globalDefault: "Whether it is for pods that name none. Recorded and without effect.",
    preemptionPolicy: "Whether its pods may displace others. Recorded and without effect.",
    value: "The rank; more is higher.",
  },
});

const runtimes: Descriptions = inPackage("io.k8s.api.node.v1", {
  RuntimeClass: {
    "": "A way to run containers, for runtimeClassName of pods. There is one for each runtime of the node.",
    handler: "The runtime: process, isolated, plain or docker, as far as the node has it.",
    overhead: "What a pod takes beside its containers. Recorded: pods say it themselves.",
    scheduling: "Which nodes have the runtime. Recorded and without effect: there is one node.",
  },
  Overhead: { podFixed: "Amounts by resource." },
  Scheduling: {
    nodeSelector: "Labels of the nodes.",
    tolerations: "Taints of the nodes that do not keep pods away.",
  },
});

const extensionsPackage = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";

const definitions: Descriptions = inPackage(extensionsPackage, {
  CustomResourceDefinition: { "": "A kind of your own, which the API then serves like those built in." },
  CustomResourceDefinitionSpec: {
    "": "What the kind is called and how its objects look.",
    group: "Group of the kind, such as shop.example.org.",
    names: "What the kind is called.",
    scope: "Namespaced or Cluster.",
    versions: "Versions of the kind; one of them is stored.",
    conversion: "How objects come from version to version. Only None is taken here.",
    preserveUnknownFields: "Older way to keep fields that the schema does not know; must be false.",
  },
  CustomResourceDefinitionNames: {
    kind: "Name in objects, such as Order.",
    listKind: "Name of lists, such as OrderList.",
    plural: "Name in URLs, such as orders.",
    singular: "Name on the command line, such as order.",
    shortNames: "Shorter names on the command line.",
    categories: "Names of groups of kinds that it is in, such as all.",
  },
  CustomResourceDefinitionVersion: {
    "": "A version of a kind.",
    name: "Name of the version, such as v1.",
    served: "Whether the API serves it.",
    storage: "Whether objects are kept in it; true for exactly one.",
    deprecated: "True: clients are warned.",
    deprecationWarning: "What clients are told then.",
    schema: "How objects look.",
    subresources: "Whether there are status and scale.",
    additionalPrinterColumns: "Columns of kubectl get.",
    selectableFields: "Fields that field selectors may name.",
  },
  CustomResourceValidation: { openAPIV3Schema: "The schema." },
  CustomResourceSubresources: {
    "": "Parts of an object that are read and written apart.",
    status: "Present: status is written apart from the rest.",
    scale: "Present: the number of pods is written apart, as kubectl scale does.",
  },
  CustomResourceSubresourceStatus: {},
  CustomResourceSubresourceScale: {
    "": "Where the number of pods stands.",
    labelSelectorPath: "Path of the selector in status, as a text.",
    specReplicasPath: "Path of the number wished for, such as .spec.replicas.",
    statusReplicasPath: "Path of the number there is, such as .status.replicas.",
  },
  CustomResourceColumnDefinition: {
    name: "Heading of the column.",
    jsonPath: "Path of the value, such as .spec.size.",
    type: "integer, number, string, boolean or date.",
    format: "Format of the value.",
    description: "What the column shows.",
    priority: "More than 0: only with -o wide.",
  },
  SelectableField: { jsonPath: "Its path, such as .spec.color." },
  CustomResourceConversion: {
    strategy: "None: only apiVersion changes. Webhook is refused here.",
    webhook: "Webhooks are refused here.",
  },
  WebhookConversion: {
    clientConfig: "Where it is asked.",
    conversionReviewVersions: "Versions of the question that it knows.",
  },
  WebhookClientConfig: {
    caBundle: "Authority of its certificate.",
    service: "Service that answers.",
    url: "Address that answers.",
  },
  ServiceReference: {
    name: "Name of the Service.",
    namespace: "Its namespace.",
    path: "Path of the question.",
    port: "Port of the Service.",
  },
  CustomResourceDefinitionStatus: {
    "": "What became of a definition.",
    acceptedNames: "Names that it got.",
    conditions: "Whether its names are accepted and it is served.",
    storedVersions: "Versions that objects may still be kept in.",
  },
  CustomResourceDefinitionCondition: { "": "One answer about a definition.", ...conditionFields },
});

/** Rights, budgets, leases, runtimes and definitions: what concerns the cluster rather than one workload. */
export const clusterDescriptions: Descriptions = {
  ...policy,
  ...access,
  ...coordination,
  ...events,
  ...scheduling,
  ...runtimes,
  ...definitions,
};
