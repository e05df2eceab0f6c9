import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordedEvent, Rollout, TimelineKind, TimelineTone } from "#api";
import { deliveryView } from "./delivery-view.ts";

let sequence = 0;

function event(kind: TimelineKind, data: RecordedEvent["data"] = {}, tone: TimelineTone = "neutral"): RecordedEvent {
  sequence += 1;
  const at = new Date(Date.UTC(2026, 0, 1, 0, 0, sequence)).toISOString();
  return { sequence, id: `${kind}-${sequence}`, kind, at, subject: "", title: kind, tone, causes: [], data };
}

const push = event("push", { repository: "acme/shop", ref: "refs/heads/main", sha: "abc", author: "Ada" });
const built = [event("run-started", { run: "7" }), event("run-completed", {}, "good")];
const imaged = [...built, event("image-pushed", { repository: "acme/shop", digest: "sha256:0123456789abcdef" })];
const synced = [
  ...imaged,
  event("environment-commit"),
  event("sync-completed", { namespace: "argocd", application: "shop" }, "good"),
];
const released = [...synced, event("rollout-started", { namespace: "production", rollout: "shop", podHash: "new" })];

function rollout(status: NonNullable<Rollout["status"]>): Rollout {
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Rollout",
    metadata: { name: "shop", namespace: "production" },
    spec: { selector: {}, template: { spec: { containers: [] } }, strategy: { canary: {} } },
    status,
  };
}

const canary = rollout({
  currentPodHash: "new",
  stableRS: "old",
  phase: "Progressing",
  canary: { weights: { canary: { weight: 10 }, stable: { weight: 90 } } },
});
const live = rollout({ currentPodHash: "new", stableRS: "new", phase: "Healthy" });
const overtaken = rollout({ currentPodHash: "newer", stableRS: "old", phase: "Progressing" });

const cases = [
  {
    name: "a running build",
    events: [event("run-started", { run: "7" })],
    states: "running waiting waiting waiting waiting",
    outcome: "delivering",
    weight: 0,
  },
  {
    name: "a failed build skips the rest",
    events: [event("run-started", { run: "7" }), event("run-completed", {}, "bad")],
    states: "failed skipped skipped skipped skipped",
    outcome: "failed",
    weight: 0,
  },
  {
    name: "an image that no environment takes",
    events: imaged,
    states: "done done waiting waiting waiting",
    outcome: "built",
    weight: 0,
  },
  {
    name: "a canary with its share",
    events: released,
    rollout: canary,
    states: "done done done running waiting",
    outcome: "delivering",
    weight: 10,
  },
  {
    name: "a promoted release",
    events: [...released, event("rollout-promoted", {}, "good")],
    rollout: live,
    states: "done done done done done",
    outcome: "live",
    weight: 100,
  },
  {
    name: "a promoted release that another replaced",
    events: [...released, event("rollout-promoted", {}, "good")],
    rollout: overtaken,
    states: "done done done done done",
    outcome: "replaced",
    weight: 0,
  },
  {
    name: "a release taken back",
    events: [...released, event("rollout-aborted", {}, "bad")],
    rollout: canary,
    states: "done done done failed skipped",
    outcome: "rolled-back",
    weight: 10,
  },
  {
    name: "a release overtaken before its end",
    events: released,
    rollout: overtaken,
    states: "done done done skipped waiting",
    outcome: "replaced",
    weight: 0,
  },
  {
    name: "a change of the environment itself, which has nothing to build",
    events: [event("sync-started", { application: "shop" }), event("sync-completed", {}, "good")],
    states: "skipped skipped done waiting waiting",
    outcome: "live",
    weight: 0,
  },
  {
    name: "a sync that never succeeded once a newer commit took over",
    events: [...imaged, event("environment-commit"), event("sync-started", { application: "shop" })],
    movedOn: true,
    states: "done done failed skipped skipped",
    outcome: "failed",
    weight: 0,
  },
] as const;
for (const { name, events, states, outcome, weight, ...rest } of cases) {
  test(`a delivery shows ${name}`, () => {
    const view = deliveryView({
      push,
      events: [push, ...events],
      rollout: "rollout" in rest ? rest.rollout : undefined,
      movedOn: "movedOn" in rest,
    });
    assert.equal(view.stages.map((stage) => stage.state).join(" "), states);
    assert.equal(view.outcome, outcome);
    assert.equal(view.weight, weight);
  });
}
