/** Plausible answers of the product API, with the states that a healthy demo never shows. Typed by what the console reads. */
import type {
  ApplicationDetail,
  DeliveryStage,
  DeliveryView,
  RecordedEvent,
  ResourceDiff,
  RolloutDetail,
  RunDetail,
  RunLogLine,
  StageState,
  SystemStatus,
  TimelineKind,
} from "#api";

const start = Date.now();

/** RFC 3339, so many seconds before now. */
export function ago(seconds: number): string {
  return new Date(start - seconds * 1000).toISOString();
}

const shas = [
  "9f2c41d7a80be6531c2f90d4471ab85e0c3d7f12",
  "4be07a6d1f93c8520e7ad64b9c15f38207ed64a9",
  "c1d85e3370fa2946bb70e8d5124f6a9083bc57e1",
];
const digest = `sha256:${"3fa9c04be17d".repeat(6).slice(0, 64)}`;

function stage(name: DeliveryStage["name"], state: StageState, detail = "", from?: number, to?: number): DeliveryStage {
  return {
    name,
    state,
    detail,
    ...(from === undefined ? {} : { startedAt: ago(from) }),
    ...(to === undefined ? {} : { finishedAt: ago(to) }),
  };
}

const shop = {
  repository: "acme/shop",
  branch: "main",
  author: "Mira Lindqvist",
  application: { namespace: "argocd", name: "shop" },
} as const;
const rollout = { namespace: "shop", name: "shop" } as const;

export const deliveries: DeliveryView[] = [
  {
    ...shop,
    id: `push:acme/shop@${shas[0]}`,
    sha: shas[0] ?? "",
    message: "Show prices with the tax of the customer's country",
    pushedAt: ago(41),
    outcome: "delivering",
    weight: 10,
    runId: "run-42",
    rollout: { ...rollout, podHash: "6d5f8c9b7" },
    stages: [
      stage("build", "done", "ci: success", 40, 22),
      stage("image", "done", "sha256:3fa9c04be17d", 23, 23),
      stage("environment", "done", "Synced shop to 77ab01c", 22, 20),
      stage("canary", "running", "10 % of traffic, analysis running", 19),
      stage("production", "waiting"),
    ],
  },
  {
    id: "push:acme/billing@b",
    repository: "acme/billing",
    branch: "main",
    author: "Tom Okafor",
    sha: "77b3a90ce1f4d2865b0c19a7e3d84f6205ca1b9e",
    message:
      "Retry card payments that time out, at most three times with growing pauses, and tell the customer what happens meanwhile",
    pushedAt: ago(400),
    outcome: "failed",
    weight: 0,
    runId: "run-41",
    stages: [
      stage("build", "failed", "ci: failure", 399, 371),
      stage("image", "skipped"),
      stage("environment", "skipped"),
      stage("canary", "skipped"),
      stage("production", "skipped"),
    ],
  },
  {
    ...shop,
    id: `push:acme/shop@${shas[1]}`,
    sha: shas[1] ?? "",
    message: "Cache the catalogue for a minute",
    pushedAt: ago(2400),
    outcome: "rolled-back",
    weight: 0,
    runId: "run-40",
    rollout: { ...rollout, podHash: "58bb4d7f4" },
    stages: [
      stage("build", "done", "ci: success", 2399, 2380),
      stage("image", "done", "sha256:b04d1188e2aa", 2381, 2381),
      stage("environment", "done", "Synced shop to 5c90aa1", 2380, 2378),
      stage(
        "canary",
        "failed",
        'Metric "success-rate" assessed Failed due to failed (1) > failureLimit (0)',
        2377,
        2366,
      ),
      stage("production", "skipped"),
    ],
  },
  {
    ...shop,
    id: `push:acme/shop@${shas[2]}`,
    sha: shas[2] ?? "",
    message: "First version of the shop",
    pushedAt: ago(9000),
    outcome: "live",
    weight: 90,
    runId: "run-39",
    rollout: { ...rollout, podHash: "7c9d6b5f8" },
    stages: [
      stage("build", "done", "ci: success", 8999, 8975),
      stage("image", "done", "sha256:90c2aa17f0de", 8976, 8976),
      stage("environment", "done", "Synced shop to 1f2e3d4", 8975, 8970),
      stage("canary", "done", "all steps passed", 8969, 8967),
      stage("production", "done", "serves all traffic", 8967, 8967),
    ],
  },
  {
    id: "push:acme/docs@d",
    repository: "acme/docs",
    branch: "trunk",
    author: "Ines",
    sha: "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
    message: "Explain returns",
    pushedAt: ago(90_000),
    outcome: "built",
    weight: 0,
    runId: "run-38",
    stages: [
      stage("build", "done", "site: success", 89_999, 89_930),
      stage("image", "done", "sha256:11aa22bb33cc", 89_940, 89_940),
      stage("environment", "waiting"),
      stage("canary", "waiting"),
      stage("production", "waiting"),
    ],
  },
];

function event(
  sequence: number,
  kind: TimelineKind,
  seconds: number,
  title: string,
  causes: number[],
  tone: RecordedEvent["tone"] = "neutral",
): RecordedEvent {
  return {
    sequence,
    id: `e${sequence}`,
    kind,
    at: ago(seconds),
    subject: kind === "push" ? `acme/shop@${shas[0]}` : "shop/shop",
    title,
    tone,
    causes: causes.map((cause) => `e${cause}`),
    data: {},
    ...(kind === "push" ? { actor: "mira" } : {}),
  };
}

export const trace: RecordedEvent[] = [
  event(1, "push", 41, deliveries[0]?.message ?? "", []),
  event(2, "run-started", 40, "ci started", [1]),
  event(3, "image-pushed", 23, "Image acme/shop:9f2c41d", [2]),
  event(4, "run-completed", 22, "ci: success", [2], "good"),
  event(5, "environment-commit", 22, "Update image acme/shop in production", [3]),
  event(6, "sync-started", 21.6, "Sync of shop to 77ab01c", [5]),
  event(7, "sync-completed", 20, "Synced shop to 77ab01c", [6], "good"),
  event(8, "rollout-started", 19, "Release begins (revision 3)", [6]),
  event(9, "rollout-step", 18, "10 % of traffic to revision 3", [8]),
];

const runBase = {
  repository: "acme/shop",
  workflow: "ci",
  path: ".github/workflows/ci.yml",
  event: "push",
  ref: "refs/heads/main",
  actor: "mira",
  attempt: 1,
} as const;

function steps(names: readonly string[], from: number, failing?: number) {
  return names.map((name, at) => ({
    number: at + 1,
    name,
    status: "completed" as const,
    conclusion:
      failing === undefined || at < failing
        ? ("success" as const)
        : at === failing
          ? ("failure" as const)
          : ("skipped" as const),
    startedAt: ago(from - at * 2),
    completedAt: ago(from - at * 2 - 1.7),
  }));
}

const names = ["Set up job", "Run actions/checkout@v4", "Run npm ci", "Run npm test", "Complete job"];

export const runs: RunDetail[] = [
  {
    ...runBase,
    id: "run-42",
    number: 42,
    title: "Show prices with the tax of the customer's country",
    sha: shas[0] ?? "",
    status: "in_progress",
    createdAt: ago(41),
    startedAt: ago(40),
    problems: [],
    jobs: [
      {
        id: "job-lint",
        key: "lint",
        name: "lint",
        needs: [],
        status: "completed",
        conclusion: "success",
        startedAt: ago(40),
        completedAt: ago(36),
        runner: "runner-1",
        steps: steps(names, 40),
        annotations: [],
        summary: "",
      },
      {
        id: "job-test-20",
        key: "test",
        name: "test (20)",
        needs: [],
        status: "completed",
        conclusion: "success",
        startedAt: ago(40),
        completedAt: ago(31),
        runner: "runner-2",
        steps: steps(names, 40),
        annotations: [
          {
            level: "warning",
            message: "The option `loose` goes away in the next version",
            title: "Deprecated",
            path: "src/price.js",
            startLine: 14,
          },
        ],
        summary: "",
      },
      {
        id: "job-test-26",
        key: "test",
        name: "test (26)",
        needs: [],
        status: "in_progress",
        startedAt: ago(40),
        runner: "runner-3",
        steps: steps(names.slice(0, 3), 40),
        annotations: [],
        summary: "",
      },
      {
        id: "job-image",
        key: "image",
        name: "image",
        needs: ["lint", "test"],
        status: "queued",
        steps: [],
        annotations: [],
        summary: "",
        message: "Waits for test (26)",
      },
    ],
  },
  {
    ...runBase,
    repository: "acme/billing",
    id: "run-41",
    number: 17,
    title: deliveries[1]?.message ?? "",
    sha: deliveries[1]?.sha ?? "",
    status: "completed",
    conclusion: "failure",
    createdAt: ago(400),
    startedAt: ago(399),
    completedAt: ago(371),
    problems: [],
    jobs: [
      {
        id: "job-big",
        key: "test",
        name: "test",
        needs: [],
        status: "completed",
        conclusion: "failure",
        startedAt: ago(399),
        completedAt: ago(371),
        runner: "runner-1",
        steps: steps(names, 399, 3),
        annotations: [
          {
            level: "error",
            message: "expected 3 attempts, saw 4",
            title: "payments › retries",
            path: "test/payments.test.js",
            startLine: 88,
          },
        ],
        summary: "### 1 of 214 tests failed\n\n- payments › retries",
      },
    ],
  },
  {
    ...runBase,
    id: "run-37",
    number: 40,
    title: "Deploy on Fridays too",
    sha: shas[1] ?? "",
    status: "completed",
    conclusion: "failure",
    createdAt: ago(7400),
    completedAt: ago(7400),
    jobs: [],
    problems: [
      {
        path: "jobs.image.needs[0]",
        message: 'There is no job "tests": use one of lint, test',
        at: { file: ".github/workflows/ci.yml", line: 31, column: 13 },
      },
      {
        path: "jobs.test.steps[2]",
        message: "A step has either `run` or `uses`: this one has both; remove one of them",
        at: { file: ".github/workflows/ci.yml", line: 24, column: 9 },
      },
    ],
  },
];

/** What a test run prints, for as many lines as asked. */
export function logLines(count: number, failed: boolean): RunLogLine[] {
  const perStep = Math.ceil(count / names.length);
  const lines: RunLogLine[] = [];
  for (let at = 0; at < count; at++) {
    const step = Math.floor(at / perStep) + 1;
    const line = at % perStep;
    lines.push({ step, line, time: ago(399 - at / count), text: logText(step, line, perStep, failed) });
  }
  return lines;
}

function logText(step: number, line: number, perStep: number, failed: boolean): string {
  if (line === 0) return `##[group]Run ${names[step - 1]}`;
  if (line === 1) return "[command]npm test -- --color";
  if (line === 4) return "##[endgroup]";
  if (failed && step === 4 && line === perStep - 2) return "##[error]expected 3 attempts, saw 4";
  if (line % 9 === 0)
    return `\u001b[32m✓\u001b[39m checkout \u001b[2m›\u001b[22m keeps the cart \u001b[33m(${line} ms)\u001b[39m`;
  if (line % 31 === 0) return "##[warning]took longer than 50 ms";
  return `  ${line} the quick brown fox pays for ${step} jumps over the lazy dog`;
}

export const application: ApplicationDetail = {
  namespace: "argocd",
  name: "shop",
  repoURL: "http://127.0.0.1:7070/acme/environments.git",
  path: "apps/shop/overlays/production",
  targetRevision: "main",
  destinationNamespace: "shop",
  sync: "OutOfSync",
  health: "Progressing",
  revision: "77ab01c5e0d94f1ab2c3d4e5f60718293a4b5c6d",
  automated: true,
  operationPhase: "Succeeded",
  operationMessage: "successfully synced (all tasks run)",
  operationStartedAt: ago(22),
  images: [`127.0.0.1:7070/acme/shop@${digest}`, "127.0.0.1:7070/acme/shop:v1"],
  conditions: [
    {
      type: "ComparisonError",
      message:
        'Cannot render "apps/shop/overlays/production": apps/shop/overlays/production/kustomization.yaml:7:5: resources[1]: there is no file "ingres.yaml": did you mean "ingress.yaml"?\nWhat was deployed last keeps running',
      at: ago(15),
    },
  ],
  history: [
    { id: 1, revision: "1f2e3d4c5b6a79880716253443526170fedcba98", deployedAt: ago(8970) },
    { id: 2, revision: "5c90aa1b2c3d4e5f60718293a4b5c6d7e8f90123", deployedAt: ago(2378) },
    { id: 3, revision: "77ab01c5e0d94f1ab2c3d4e5f60718293a4b5c6d", deployedAt: ago(20) },
  ],
  tree: [
    node("svc", "", "Service", "shop", [], undefined, { sync: "Synced", health: "Healthy" }),
    node("ro", "argoproj.io", "Rollout", "shop", ["revision 3", "ready 3/2"], undefined, {
      sync: "Synced",
      health: "Progressing",
      healthMessage: "more replicas need to be updated",
    }),
    node("rs3", "apps", "ReplicaSet", "shop-6d5f8c9b7", ["revision 3", "ready 1/1"], "ro", { health: "Healthy" }),
    node("pod3", "", "Pod", "shop-6d5f8c9b7-x2kqp", ["Running"], "rs3", { health: "Healthy" }),
    node("rs1", "apps", "ReplicaSet", "shop-7c9d6b5f8", ["revision 1", "ready 2/2"], "ro", { health: "Healthy" }),
    node("pod1", "", "Pod", "shop-7c9d6b5f8-9hl4z", ["Running"], "rs1", { health: "Healthy" }),
    node("pod2", "", "Pod", "shop-7c9d6b5f8-tt81w", ["CrashLoopBackOff", "4 restarts"], "rs1", {
      health: "Degraded",
      healthMessage: 'Container "shop" ended with exit code 1; starts again in 40 s',
    }),
    node("ar", "argoproj.io", "AnalysisRun", "shop-6d5f8c9b7-3-1", ["Running"], "ro", { health: "Progressing" }),
    node("at", "argoproj.io", "AnalysisTemplate", "success-rate", [], undefined, { sync: "OutOfSync" }),
    node("cm", "", "ConfigMap", "shop-settings-with-a-rather-long-name-h7t2k9", [], undefined, { sync: "OutOfSync" }),
  ],
};

function node(
  uid: string,
  group: string,
  kind: string,
  name: string,
  info: string[],
  parentUid: string | undefined,
  more: object,
) {
  return {
    uid,
    group,
    version: "v1",
    kind,
    namespace: "shop",
    name,
    info,
    createdAt: ago(8970),
    ...(parentUid === undefined ? {} : { parentUid }),
    ...more,
  };
}

const template = (rate: string, extra = ""): string => `apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: success-rate
  namespace: shop
spec:
  args:
    - name: service
    - name: revision
  metrics:
    - name: success-rate
      initialDelay: 3s
      interval: 2s
      count: 3
      successCondition: len(result) > 0 && result[0] >= ${rate}
${extra}      provider:
        prometheus:
          query: |
            sum(rate(tidegate_router_requests_total{service="{{args.service}}"}[10s]))
`;

export const diffs: ResourceDiff[] = [
  {
    group: "argoproj.io",
    kind: "AnalysisTemplate",
    namespace: "shop",
    name: "success-rate",
    change: "update",
    live: template("0.98"),
    target: template("0.995", "      inconclusiveLimit: 3\n"),
  },
  {
    group: "",
    kind: "ConfigMap",
    namespace: "shop",
    name: "shop-settings-with-a-rather-long-name-h7t2k9",
    change: "create",
    live: "",
    target:
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop-settings-with-a-rather-long-name-h7t2k9\ndata:\n  TAX: by-country\n",
  },
  { group: "", kind: "Service", namespace: "shop", name: "shop", change: "none", live: "a: 1\n", target: "a: 1\n" },
];

export const rolloutDetail: RolloutDetail = {
  ...rollout,
  phase: "Progressing",
  message: "more replicas need to be updated",
  strategy: "canary",
  stepIndex: 1,
  stepCount: 4,
  setWeight: 10,
  actualWeight: 10,
  desired: 2,
  current: 3,
  updated: 1,
  ready: 3,
  available: 3,
  images: [
    { image: `127.0.0.1:7070/acme/shop@${digest}`, roles: ["canary"] },
    { image: "127.0.0.1:7070/acme/shop:v1", roles: ["stable"] },
  ],
  steps: [
    { index: 0, title: "setWeight: 10", state: "done" },
    { index: 1, title: "analysis: success-rate", state: "current" },
    { index: 2, title: "setWeight: 50", state: "waiting" },
    { index: 3, title: "pause: 3s", state: "waiting" },
  ],
  revisions: [
    {
      revision: 3,
      podHash: "6d5f8c9b7",
      replicaSet: "shop-6d5f8c9b7",
      roles: ["canary"],
      images: [`127.0.0.1:7070/acme/shop@${digest}`],
      desired: 1,
      ready: 1,
      available: 1,
      createdAt: ago(20),
      pods: [{ name: "shop-6d5f8c9b7-x2kqp", phase: "Running", ready: true, restarts: 0 }],
    },
    {
      revision: 2,
      podHash: "58bb4d7f4",
      replicaSet: "shop-58bb4d7f4",
      roles: [],
      images: ["127.0.0.1:7070/acme/shop:v2"],
      desired: 0,
      ready: 0,
      available: 0,
      createdAt: ago(2378),
      pods: [],
    },
    {
      revision: 1,
      podHash: "7c9d6b5f8",
      replicaSet: "shop-7c9d6b5f8",
      roles: ["stable"],
      images: ["127.0.0.1:7070/acme/shop:v1"],
      desired: 2,
      ready: 1,
      available: 1,
      createdAt: ago(8970),
      pods: [
        { name: "shop-7c9d6b5f8-9hl4z", phase: "Running", ready: true, restarts: 0 },
        { name: "shop-7c9d6b5f8-tt81w", phase: "Running", ready: false, restarts: 4 },
      ],
    },
  ],
  analysisRuns: [
    analysis("shop-6d5f8c9b7-3-1", "6d5f8c9b7", "Running", 16, undefined, [
      ["Successful", "[0.9987]", 12],
      ["Successful", "[1]", 10],
      ["Inconclusive", "[]", 8],
    ]),
    analysis(
      "shop-58bb4d7f4-2-1",
      "58bb4d7f4",
      "Failed",
      2376,
      2366,
      [
        ["Successful", "[0.991]", 2372],
        ["Failed", "[0.8123]", 2370],
      ],
      'Metric "success-rate" assessed Failed due to failed (1) > failureLimit (0)',
    ),
  ],
  weights: [
    { at: ago(8969), weight: 100, podHash: "7c9d6b5f8" },
    { at: ago(2377), weight: 10, podHash: "58bb4d7f4" },
    { at: ago(2366), weight: 0, podHash: "58bb4d7f4" },
    { at: ago(18), weight: 10, podHash: "6d5f8c9b7" },
  ],
  actions: ["promote", "promote-full", "abort", "pause"],
};

function analysis(
  name: string,
  podHash: string,
  phase: string,
  from: number,
  to: number | undefined,
  values: [string, string, number][],
  message = "",
): RolloutDetail["analysisRuns"][number] {
  return {
    name,
    podHash,
    phase,
    message,
    startedAt: ago(from),
    ...(to === undefined ? {} : { completedAt: ago(to) }),
    role: "Step",
    metrics: [
      {
        name: "success-rate",
        phase,
        successCondition: "len(result) > 0 && result[0] >= 0.98",
        failureCondition: "len(result) > 0 && result[0] < 0.98",
        measurements: values.map(([measured, value, at]) => ({
          phase: measured,
          value,
          startedAt: ago(at),
          finishedAt: ago(at),
          ...(measured === "Inconclusive" ? { message: "Too little traffic to tell" } : {}),
        })),
      },
    ],
  };
}

export const status: SystemStatus = {
  version: "0.1.0",
  startedAt: ago(9100),
  addresses: {
    control: "http://127.0.0.1:7070",
    traffic: "http://127.0.0.1:8080",
    kubernetes: "http://127.0.0.1:7070/kube",
    registry: "127.0.0.1:7070",
  },
  processes: [],
  pods: { total: 3, ready: 2 },
  repositories: 3,
};
