/**
 * One valid object of every built-in kind with as many of its fields as can stand together: what tests cut smaller to
 * get objects of every shape. A list's alternatives stand beside each other; what excludes each other comes in variants.
 */
type Fields = Record<string, unknown>;

export interface KindSample {
  readonly path: string;
  /** Namespaced kinds are in this namespace, which has to exist. */
  readonly object: Fields;
}

export const namespace = "proto";

const probe = {
  httpGet: {
    path: "/healthz",
    port: 8080,
    host: "localhost",
    scheme: "HTTPS",
    httpHeaders: [{ name: "A", value: "b" }],
  },
  initialDelaySeconds: 3,
  timeoutSeconds: 2,
  periodSeconds: 7,
  failureThreshold: 5,
  terminationGracePeriodSeconds: 9,
};

const container = {
  name: "web",
  image: "registry.local/web:1.2",
  command: ["sh", "-c"],
  args: ["sleep 1", "two"],
  workingDir: "/srv",
  ports: [
    { name: "http", containerPort: 8080, protocol: "TCP" },
    { name: "dns", containerPort: 53, protocol: "UDP" },
    { name: "dnstcp", containerPort: 54 },
  ],
  env: [
    { name: "A", value: "1" },
    { name: "B", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    { name: "C", valueFrom: { configMapKeyRef: { name: "cm", key: "k", optional: true } } },
    { name: "D", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
    { name: "E", valueFrom: { resourceFieldRef: { containerName: "web", resource: "limits.cpu" } } },
  ],
  envFrom: [{ prefix: "P_", configMapRef: { name: "cm" } }, { secretRef: { name: "s", optional: true } }],
  resources: { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "250m", memory: "128Mi" } },
  volumeMounts: [
    { name: "scratch", mountPath: "/tmp", readOnly: true, subPath: "a" },
    { name: "config", mountPath: "/etc/web" },
  ],
  livenessProbe: probe,
  readinessProbe: { tcpSocket: { port: "http" }, successThreshold: 2 },
  startupProbe: { exec: { command: ["true"] }, failureThreshold: 30 },
  lifecycle: { preStop: { exec: { command: ["sleep", "1"] } }, postStart: { httpGet: { port: 8080 } } },
  terminationMessagePath: "/dev/log",
  terminationMessagePolicy: "FallbackToLogsOnError",
  imagePullPolicy: "Never",
  securityContext: {
    runAsUser: 1000,
    readOnlyRootFilesystem: true,
    capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] },
  },
  stdin: true,
  tty: true,
};

export const podSpec = {
  containers: [container, { name: "side", image: "busybox", livenessProbe: { grpc: { port: 9000 } } }],
  initContainers: [
    { name: "first", image: "busybox:latest", resources: { limits: { cpu: 1 } } },
    { name: "sidecar", image: "proxy:v1", restartPolicy: "Always", readinessProbe: { httpGet: { port: 1 } } },
  ],
  volumes: [
    { name: "scratch", emptyDir: { medium: "Memory", sizeLimit: "64Mi" } },
    { name: "config", configMap: { name: "cm", defaultMode: 256, items: [{ key: "a", path: "b", mode: 420 }] } },
    { name: "secret", secret: { secretName: "s", optional: true } },
    { name: "claim", persistentVolumeClaim: { claimName: "c", readOnly: true } },
    { name: "down", downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
    { name: "host", hostPath: { path: "/data", type: "Directory" } },
    { name: "plain" },
  ],
  terminationGracePeriodSeconds: 5,
  dnsPolicy: "Default",
  dnsConfig: { nameservers: ["1.2.3.4"], options: [{ name: "ndots", value: "2" }] },
  nodeSelector: { disk: "ssd" },
  serviceAccountName: "robot",
  automountServiceAccountToken: false,
  securityContext: { runAsNonRoot: true, fsGroup: 2000, sysctls: [{ name: "kernel.shm_rmid_forced", value: "0" }] },
  imagePullSecrets: [{ name: "pull" }],
  hostname: "h",
  subdomain: "sub",
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values: ["a"] }] }],
      },
    },
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 10,
          podAffinityTerm: { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "web" } } },
        },
      ],
    },
  },
  schedulerName: "mine",
  tolerations: [
    { key: "gpu", operator: "Exists", effect: "NoSchedule" },
    { key: "a", value: "b" },
  ],
  hostAliases: [{ ip: "127.0.0.1", hostnames: ["x", "y"] }],
  readinessGates: [{ conditionType: "example.com/ready" }],
  enableServiceLinks: false,
  shareProcessNamespace: true,
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "zone",
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: { matchLabels: { app: "web" } },
    },
  ],
};

const selector = { matchLabels: { app: "web" } };
const template = { metadata: { labels: { app: "web", tier: "front" }, annotations: { a: "b" } }, spec: podSpec };

function meta(): Fields {
  return {
    labels: { app: "web", "example.com/team": "blue" },
    annotations: { note: "hello", "example.com/x": "y" },
  };
}

function namespaced(root: string, plural: string, object: Fields): KindSample {
  return { path: `${root}/namespaces/${namespace}/${plural}`, object: { metadata: meta(), ...object } };
}

function global(root: string, plural: string, object: Fields): KindSample {
  return { path: `${root}/${plural}`, object: { metadata: meta(), ...object } };
}

const job = {
  parallelism: 3,
  completions: 5,
  activeDeadlineSeconds: 100,
  backoffLimit: 2,
  completionMode: "Indexed",
  backoffLimitPerIndex: 1,
  maxFailedIndexes: 2,
  ttlSecondsAfterFinished: 60,
  suspend: true,
  podReplacementPolicy: "Failed",
  podFailurePolicy: {
    rules: [
      { action: "FailJob", onExitCodes: { containerName: "web", operator: "In", values: [1, 42] } },
      { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
    ],
  },
  template: { ...template, spec: { ...podSpec, restartPolicy: "Never" } },
};

const core = "/api/v1";
export const samples: Readonly<Record<string, KindSample>> = {
  configmap: namespaced(core, "configmaps", {
    data: { a: "1", "b.yaml": "x: y\n" },
    binaryData: { bin: "AAEC" },
    immutable: false,
  }),
  secret: namespaced(core, "secrets", {
    type: "Opaque",
    data: { a: "YWJj" },
    stringData: { b: "plain" },
    immutable: false,
  }),
  serviceaccount: namespaced(core, "serviceaccounts", {
    secrets: [{ name: "s" }],
    imagePullSecrets: [{ name: "p" }],
    automountServiceAccountToken: false,
  }),
  namespace: global(core, "namespaces", {}),
  pod: namespaced(core, "pods", { spec: { ...podSpec, restartPolicy: "OnFailure", activeDeadlineSeconds: 60 } }),
  service: namespaced(core, "services", {
    spec: {
      type: "NodePort",
      selector: { app: "web" },
      ports: [
        { name: "http", port: 80, targetPort: "http", protocol: "TCP", appProtocol: "http" },
        { name: "dns", port: 53, protocol: "UDP" },
        { name: "dnstcp", port: 54, targetPort: 5353 },
      ],
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 30 } },
      externalIPs: ["1.2.3.4"],
      publishNotReadyAddresses: true,
      internalTrafficPolicy: "Local",
      externalTrafficPolicy: "Local",
      ipFamilyPolicy: "SingleStack",
    },
  }),
  headless: namespaced(core, "services", {
    spec: { clusterIP: "None", selector: { app: "web" }, ports: [{ port: 80 }] },
  }),
  externalname: namespaced(core, "services", {
    spec: { type: "ExternalName", externalName: "example.com", ports: [{ port: 80 }] },
  }),
  endpoints: namespaced(core, "endpoints", {
    subsets: [
      {
        addresses: [{ ip: "10.1.0.1", hostname: "a", targetRef: { kind: "Pod", name: "p", namespace } }],
        notReadyAddresses: [{ ip: "10.1.0.2" }],
        ports: [{ name: "http", port: 80, appProtocol: "http" }],
      },
    ],
  }),
  persistentvolumeclaim: namespaced(core, "persistentvolumeclaims", {
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" }, limits: { storage: "2Gi" } },
      storageClassName: "fast",
      volumeMode: "Block",
      selector,
      volumeName: "v",
    },
  }),
  persistentvolume: global(core, "persistentvolumes", {
    spec: {
      capacity: { storage: "5Gi" },
      accessModes: ["ReadWriteOnce", "ReadOnlyMany"],
      persistentVolumeReclaimPolicy: "Delete",
      hostPath: { path: "/tmp/x" },
      storageClassName: "fast",
      mountOptions: ["ro"],
      claimRef: { namespace, name: "c" },
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values: ["a"] }] }] },
      },
    },
  }),
  resourcequota: namespaced(core, "resourcequotas", {
    spec: { hard: { pods: "10", "requests.cpu": "4" }, scopes: ["NotTerminating"] },
  }),
  limitrange: namespaced(core, "limitranges", {
    spec: {
      limits: [
        {
          type: "Container",
          max: { cpu: "2" },
          min: { cpu: "10m" },
          default: { cpu: "1" },
          defaultRequest: { cpu: "100m" },
        },
        { type: "Pod", max: { memory: "1Gi" } },
      ],
    },
  }),
  event: namespaced(core, "events", {
    involvedObject: { kind: "Pod", namespace, name: "p", uid: "u", fieldPath: "spec" },
    reason: "Started",
    message: "hello",
    type: "Normal",
    count: 3,
    source: { component: "kubelet", host: "n" },
    firstTimestamp: "2026-01-01T00:00:00Z",
    lastTimestamp: "2026-01-01T00:00:01Z",
    reportingComponent: "kubelet",
    reportingInstance: "n",
  }),
  node: global(core, "nodes", {
    spec: { podCIDR: "10.0.0.0/24", unschedulable: true, taints: [{ key: "a", effect: "NoSchedule" }] },
  }),
  deployment: namespaced("/apis/apps/v1", "deployments", {
    spec: {
      replicas: 3,
      selector,
      template,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "30%", maxUnavailable: 1 } },
      minReadySeconds: 5,
      revisionHistoryLimit: 4,
      paused: true,
      progressDeadlineSeconds: 30,
    },
  }),
  recreate: namespaced("/apis/apps/v1", "deployments", {
    spec: { replicas: 0, selector, template, strategy: { type: "Recreate" } },
  }),
  replicaset: namespaced("/apis/apps/v1", "replicasets", {
    spec: { replicas: 2, minReadySeconds: 1, selector, template },
  }),
  statefulset: namespaced("/apis/apps/v1", "statefulsets", {
    spec: {
      replicas: 2,
      serviceName: "web",
      selector,
      template,
      podManagementPolicy: "Parallel",
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 1 } },
      revisionHistoryLimit: 3,
      minReadySeconds: 2,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
      ordinals: { start: 1 },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
        },
      ],
    },
  }),
  daemonset: namespaced("/apis/apps/v1", "daemonsets", {
    spec: {
      selector,
      template,
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "10%" } },
      minReadySeconds: 3,
      revisionHistoryLimit: 2,
    },
  }),
  controllerrevision: namespaced("/apis/apps/v1", "controllerrevisions", { revision: 3, data: { spec: { a: 1 } } }),
  job: namespaced("/apis/batch/v1", "jobs", { spec: job }),
  cronjob: namespaced("/apis/batch/v1", "cronjobs", {
    spec: {
      schedule: "*/5 1-3 * * MON",
      timeZone: "Europe/Berlin",
      startingDeadlineSeconds: 60,
      concurrencyPolicy: "Forbid",
      suspend: true,
      successfulJobsHistoryLimit: 5,
      failedJobsHistoryLimit: 2,
      jobTemplate: { metadata: { labels: { a: "b" } }, spec: job },
    },
  }),
  horizontalpodautoscaler: namespaced("/apis/autoscaling/v2", "horizontalpodautoscalers", {
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      minReplicas: 2,
      maxReplicas: 9,
      metrics: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } },
        {
          type: "Pods",
          pods: { metric: { name: "rps", selector }, target: { type: "AverageValue", averageValue: "100" } },
        },
        {
          type: "Object",
          object: {
            describedObject: { apiVersion: "v1", kind: "Service", name: "web" },
            metric: { name: "hits" },
            target: { type: "Value", value: "10k" },
          },
        },
        {
          type: "External",
          external: { metric: { name: "queue" }, target: { type: "AverageValue", averageValue: "30" } },
        },
      ],
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 5,
          policies: [{ type: "Pods", value: 2, periodSeconds: 30 }],
          selectPolicy: "Min",
        },
        scaleDown: { stabilizationWindowSeconds: 60 },
      },
    },
  }),
  autoscalerv1: namespaced("/apis/autoscaling/v1", "horizontalpodautoscalers", {
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      minReplicas: 2,
      maxReplicas: 9,
      targetCPUUtilizationPercentage: 60,
    },
  }),
  poddisruptionbudget: namespaced("/apis/policy/v1", "poddisruptionbudgets", {
    spec: { minAvailable: "50%", selector, unhealthyPodEvictionPolicy: "AlwaysAllow" },
  }),
  maxunavailable: namespaced("/apis/policy/v1", "poddisruptionbudgets", { spec: { maxUnavailable: 1, selector } }),
  ingress: namespaced("/apis/networking.k8s.io/v1", "ingresses", {
    spec: {
      ingressClassName: "tidegate",
      defaultBackend: { service: { name: "web", port: { number: 80 } } },
      tls: [{ hosts: ["a.example.com"], secretName: "t" }],
      rules: [
        {
          host: "a.example.com",
          http: {
            paths: [
              { path: "/x", pathType: "Prefix", backend: { service: { name: "web", port: { name: "http" } } } },
              { path: "/y", pathType: "Exact", backend: { service: { name: "web", port: { number: 80 } } } },
            ],
          },
        },
        { host: "*.example.com" },
      ],
    },
  }),
  ingressclass: global("/apis/networking.k8s.io/v1", "ingressclasses", {
    spec: { controller: "example.com/x", parameters: { apiGroup: "example.com", kind: "P", name: "p" } },
  }),
  networkpolicy: namespaced("/apis/networking.k8s.io/v1", "networkpolicies", {
    spec: {
      podSelector: selector,
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        {
          ports: [{ port: 80 }, { port: "dns", protocol: "UDP" }],
          from: [{ podSelector: selector, namespaceSelector: {} }],
        },
      ],
      egress: [
        { ports: [{ port: 1000, endPort: 2000 }], to: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }] },
      ],
    },
  }),
  endpointslice: namespaced("/apis/discovery.k8s.io/v1", "endpointslices", {
    addressType: "IPv4",
    endpoints: [
      {
        addresses: ["10.1.0.1"],
        conditions: { ready: true, serving: true, terminating: false },
        hostname: "h",
        targetRef: { kind: "Pod", name: "p", namespace },
        nodeName: "n",
        zone: "z",
      },
    ],
    ports: [{ name: "http", port: 80, protocol: "TCP", appProtocol: "http" }, { name: "x" }],
  }),
  lease: namespaced("/apis/coordination.k8s.io/v1", "leases", {
    spec: {
      holderIdentity: "me",
      leaseDurationSeconds: 15,
      acquireTime: "2026-01-01T00:00:00.000000Z",
      renewTime: "2026-01-01T00:00:01.123456Z",
      leaseTransitions: 2,
    },
  }),
  priorityclass: global("/apis/scheduling.k8s.io/v1", "priorityclasses", {
    value: 1000,
    globalDefault: false,
    description: "x",
    preemptionPolicy: "Never",
  }),
  storageclass: global("/apis/storage.k8s.io/v1", "storageclasses", {
    provisioner: "example.com/disk",
    parameters: { type: "ssd" },
    reclaimPolicy: "Retain",
    mountOptions: ["noatime"],
    allowVolumeExpansion: true,
    volumeBindingMode: "WaitForFirstConsumer",
  }),
  role: namespaced("/apis/rbac.authorization.k8s.io/v1", "roles", {
    rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"], resourceNames: ["a"] }],
  }),
  clusterrole: global("/apis/rbac.authorization.k8s.io/v1", "clusterroles", {
    rules: [{ nonResourceURLs: ["/metrics"], verbs: ["get"] }],
  }),
  rolebinding: namespaced("/apis/rbac.authorization.k8s.io/v1", "rolebindings", {
    subjects: [
      { kind: "ServiceAccount", name: "a", namespace },
      { kind: "User", name: "u" },
    ],
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
  }),
  clusterrolebinding: global("/apis/rbac.authorization.k8s.io/v1", "clusterrolebindings", {
    subjects: [{ kind: "Group", name: "g" }],
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "r" },
  }),
};
