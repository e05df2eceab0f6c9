/** Deliveries in every outcome, one of them moving, and its trace. */
import type { DeliveryStage, DeliveryView, RecordedEvent, StageState, TimelineKind } from "#api";
import { ago, shas } from "./moments.ts";

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
