/** A rollout in the middle of its steps, after one that was taken back. */
import type { RolloutDetail } from "#api";
import { ago, digest } from "./moments.ts";

const rollout = { namespace: "shop", name: "shop" } as const;

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
