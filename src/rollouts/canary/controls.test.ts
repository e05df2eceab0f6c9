import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ReplicaSet, Rollout, RolloutStatus } from "#api";
import { promoteFullPatch, promotePatch, setImagePatch, undo } from "./controls.ts";
import { calculatePhase, rolloutPhase } from "./phase.ts";

function rollout(status: RolloutStatus, spec: Partial<Rollout["spec"]> = {}): Rollout {
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Rollout",
    metadata: { name: "web", uid: "u", generation: 2 },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: "web" } },
      template: template("web:3"),
      strategy: { canary: { steps: [{ setWeight: 10 }, { analysis: {} }, { pause: {} }] } },
      ...spec,
    },
    status,
  };
}

function template(image: string): Rollout["spec"]["template"] {
  return { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image }] } };
}

const pause = { reason: "CanaryPauseStep", startTime: "2026-01-01T00:00:00Z" } as const;

describe("promote", () => {
  const cases: readonly (readonly [string, Rollout, unknown])[] = [
    [
      "ends a pause",
      rollout({ pauseConditions: [pause], controllerPause: true, currentStepIndex: 2 }),
      { status: { pauseConditions: null } },
    ],
    [
      "skips the step of an inconclusive analysis",
      rollout({
        pauseConditions: [{ ...pause, reason: "InconclusiveAnalysisRun" }],
        controllerPause: true,
        currentStepIndex: 1,
        canary: { currentStepAnalysisRunStatus: { name: "x", status: "Inconclusive" } },
      }),
      { status: { pauseConditions: null, controllerPause: false, currentStepIndex: 2 } },
    ],
    [
      "skips the current step when nothing pauses",
      rollout({ currentStepIndex: 1 }),
      { status: { pauseConditions: null, currentStepIndex: 2 } },
    ],
    [
      "never goes beyond the last step",
      rollout({ currentStepIndex: 3 }),
      { status: { pauseConditions: null, currentStepIndex: 3 } },
    ],
    [
      "takes back a pause by hand",
      rollout({}, { paused: true, strategy: { canary: {} } }),
      { spec: { paused: false } },
    ],
  ];
  for (const [name, given, want] of cases) {
    it(name, () => assert.deepEqual(promotePatch(given), want));
  }

  it("in full does nothing to a rollout that is promoted", () => {
    assert.deepEqual(promoteFullPatch(rollout({ currentPodHash: "a", stableRS: "a" })), {});
    assert.deepEqual(promoteFullPatch(rollout({ currentPodHash: "b", stableRS: "a" })), {
      status: { promoteFull: true },
    });
  });
});

describe("undo", () => {
  const sets = [1, 2, 3].map((revision): ReplicaSet => {
    const own = template(`web:${revision}`);
    return {
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: {
        name: `web-${revision}`,
        annotations: { "rollout.argoproj.io/revision": String(revision) },
        ownerReferences: [{ apiVersion: "a", kind: "Rollout", name: "web", uid: "u", controller: true }],
      },
      spec: {
        selector: {},
        template: {
          ...own,
          metadata: { labels: { ...own.metadata?.labels, "rollouts-pod-template-hash": `hash${revision}` } },
        },
      },
    };
  });

  it("takes the template of the revision before, without our label", () => {
    assert.deepEqual(undo(rollout({}), sets), { kind: "template", revision: 2, template: template("web:2") });
  });
  it("takes the revision that is asked for", () => {
    assert.deepEqual(undo(rollout({}), sets, 1), { kind: "template", revision: 1, template: template("web:1") });
  });
  it("does nothing when the template is the same", () => {
    const message = "skipped rollback (current template already matches revision 3)";
    assert.deepEqual(undo(rollout({}), sets, 3), { kind: "skipped", message });
  });
  it("names the revisions there are", () => {
    const message = 'Cannot undo rollout "web": there is no revision 9: known are 3, 2, 1';
    assert.deepEqual(undo(rollout({}), sets, 9), { kind: "refused", message });
  });
});

it("sets images by container name, and knows when there is no such container", () => {
  assert.deepEqual(setImagePatch(rollout({}), { "*": "web:9" }), {
    spec: { template: { spec: { containers: [{ name: "web", image: "web:9" }] } } },
  });
  assert.equal(setImagePatch(rollout({}), { api: "x" }), undefined);
});

describe("phase", () => {
  const done: RolloutStatus = {
    replicas: 2,
    updatedReplicas: 2,
    availableReplicas: 2,
    stableRS: "a",
    currentPodHash: "a",
  };
  const condition = (type: string, reason: string, message: string) =>
    ({ conditions: [{ type, status: "False", reason, message }] }) as const satisfies RolloutStatus | object;
  const cases: readonly (readonly [RolloutStatus, string, string, Partial<Rollout["spec"]>?])[] = [
    [done, "Healthy", ""],
    [{ ...done, stableRS: "b" }, "Progressing", "waiting for all steps to complete"],
    [{ ...done, replicas: 3 }, "Progressing", "old replicas are pending termination"],
    [{ ...done, availableReplicas: 1 }, "Progressing", "updated replicas are still becoming available"],
    [{ ...done, updatedReplicas: 1 }, "Progressing", "more replicas need to be updated"],
    [done, "Progressing", "rollout is restarting", { restartAt: "2026-01-01T00:00:00Z" }],
    [{ ...done, pauseConditions: [pause] }, "Paused", "CanaryPauseStep"],
    [{ ...done, pauseConditions: [pause] }, "Paused", "manually paused", { paused: true }],
    [
      { ...done, conditions: [...condition("Progressing", "ProgressDeadlineExceeded", "late").conditions] },
      "Degraded",
      "ProgressDeadlineExceeded: late",
      { paused: true },
    ],
    [
      { ...done, conditions: [...condition("InvalidSpec", "InvalidSpec", "bad").conditions] },
      "Degraded",
      "InvalidSpec: bad",
    ],
  ];
  for (const [status, phase, message, spec] of cases) {
    it(`is ${phase}: ${message}`, () => {
      assert.deepEqual(calculatePhase(rollout(status, spec), status), { phase, message });
    });
  }

  it("is not that of a spec or a resume that the controller has not seen", () => {
    const old = rolloutPhase(rollout({ ...done, phase: "Healthy", observedGeneration: "1" }));
    assert.deepEqual(old, { phase: "Progressing", message: "waiting for rollout spec update to be observed" });
    const resumed = rolloutPhase(rollout({ ...done, phase: "Paused", observedGeneration: "2", controllerPause: true }));
    assert.deepEqual(resumed, { phase: "Progressing", message: "waiting for rollout to unpause" });
  });
});
