import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { AnalysisPhase, AnalysisTemplate, CanaryStep, ReplicaSet, Rollout } from "#api";
import type { Action } from "../canary/observed.ts";
import { planRollout } from "../canary/plan.ts";
import { hashOf, sizeOf } from "../canary/revisions.ts";
import { rolloutLimits } from "../canary/replica-counts.ts";
import { applyAction, reconcileWorld, settlePods, settleRuns, verifySplit, type World } from "./world.ts";
import { simulateRollout } from "./simulate.ts";

const start = Temporal.Instant.from("2026-01-01T00:00:00Z");

const template: AnalysisTemplate = {
  apiVersion: "argoproj.io/v1alpha1",
  kind: "AnalysisTemplate",
  metadata: { name: "success-rate", namespace: "shop" },
  spec: {
    args: [{ name: "hash" }],
    metrics: [
      {
        name: "rate",
        successCondition: "result[0] > 0.9",
        provider: { prometheus: { query: "x{h='{{args.hash}}'}" } },
      },
    ],
  },
};

const analysis = {
  templates: [{ templateName: "success-rate" }],
  args: [{ name: "hash", valueFrom: { podTemplateHashValue: "Latest" as const } }],
};

function rollout(overrides: Partial<Rollout["spec"]> = {}, steps: CanaryStep[] = []): Rollout {
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Rollout",
    metadata: { name: "web", namespace: "shop", uid: "rollout-uid", generation: 1 },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "web", image: "shop:v1" }] },
      },
      strategy: { canary: { steps } },
      ...overrides,
    },
  };
}

function withImage(world: World, image: string): World {
  const next = structuredClone(world.rollout);
  next.metadata.generation = (next.metadata.generation ?? 1) + 1;
  next.spec.template.spec.containers[0] = { name: "web", image };
  return { ...world, rollout: next };
}

function worldOf(one: Rollout, exact: boolean): World {
  const nothing = { replicaSets: [], analysisRuns: [], clusterTemplates: [], events: [] } as const;
  return { ...nothing, now: start, rollout: one, templates: [template], split: undefined, exact, wakeAt: undefined };
}

type Verdict = (name: string) => AnalysisPhase | undefined;

/** Reconciles with ready pods, routers and runs until nothing changes; time moves to what is waited for. */
function run(world: World, verdict: Verdict = () => "Successful", step = applyAction): World {
  let current = world;
  for (let round = 0; round < 400; round++) {
    let next = reconcileWorld(current, planRollout, step);
    next = settleRuns(verifySplit(settlePods(next, (_set, spec) => spec)), ({ metadata }) => verdict(metadata.name));
    const quiet = JSON.stringify({ ...next, wakeAt: 0, now: 0 }) === JSON.stringify({ ...current, wakeAt: 0, now: 0 });
    const isDeadlineOnly = next.wakeAt === undefined || next.rollout.status?.phase === "Healthy";
    if (quiet && isDeadlineOnly) return next;
    current = quiet && next.wakeAt !== undefined ? { ...next, now: next.wakeAt } : next;
  }
  assert.fail(`not at rest: ${JSON.stringify(current.rollout.status)}`);
}

function replicasByImage(world: World): Record<string, number> {
  return Object.fromEntries(
    world.replicaSets.map((set) => [set.spec.template.spec.containers[0]?.image ?? "", set.spec.replicas ?? 1]),
  );
}

function hashFor(world: World, image: string): string {
  return hashOf(world.replicaSets.find((set) => set.spec.template.spec.containers[0]?.image === image) as ReplicaSet);
}

const steps: CanaryStep[] = [
  { setWeight: 10 },
  { pause: { duration: "10s" } },
  { analysis },
  { setWeight: 50 },
  { setWeight: 100 },
];

describe("a canary rollout", () => {
  it("installs the first revision without steps", () => {
    const world = run(worldOf(rollout({}, steps), true));
    assert.equal(world.rollout.status?.phase, "Healthy");
    assert.equal(world.rollout.status?.currentStepIndex, 5);
    assert.deepEqual(replicasByImage(world), { "shop:v1": 2 });
    assert.equal(world.analysisRuns.length, 0);
    assert.equal(world.rollout.metadata.annotations?.["rollout.argoproj.io/revision"], "1");
  });

  it("promotes a good revision step by step, each exactly once", () => {
    const installed = run(worldOf(rollout({}, steps), true));
    const world = run(withImage(installed, "shop:v2"));
    assert.equal(world.rollout.status?.phase, "Healthy");
    assert.deepEqual(replicasByImage(world), { "shop:v1": 0, "shop:v2": 2 });
    assert.deepEqual(world.split?.weights, [{ podTemplateHash: hashFor(world, "shop:v2"), weight: 100 }]);
    const completed = world.events.filter(({ reason }) => reason === "RolloutStepCompleted").map((one) => one.message);
    assert.deepEqual(completed, [
      "Rollout step 1/5 completed (setWeight: 10)",
      "Rollout step 2/5 completed (pause: 10s)",
      "Rollout step 3/5 completed (analysis)",
      "Rollout step 4/5 completed (setWeight: 50)",
      "Rollout step 5/5 completed (setWeight: 100)",
    ]);
    assert.equal(world.analysisRuns.length, 1);
    assert.deepEqual(world.analysisRuns[0]?.spec.args, [{ name: "hash", value: hashFor(world, "shop:v2") }]);
    assert.equal(world.events.filter(({ reason }) => reason === "RolloutCompleted").length, 2);
  });

  it("returns to stable when its analysis fails, requests before pods", () => {
    const installed = run(worldOf(rollout({}, steps), true));
    const order: string[] = [];
    const world = run(
      withImage(installed, "shop:v2"),
      () => "Failed",
      (before, action) => {
        if (action.kind === "setWeights" && action.weights.length === 1) order.push("weights");
        if (action.kind === "scaleReplicaSet" && action.replicas === 0) order.push("pods");
        return applyAction(before, action);
      },
    );
    const { status } = world.rollout;
    assert.equal(status?.phase, "Degraded");
    assert.match(
      status?.message ?? "",
      /^RolloutAborted: Rollout aborted update to revision 2: Step-based analysis phase error\/failed/,
    );
    assert.equal(status?.currentStepIndex, 0);
    assert.equal(status?.abort, true);
    assert.deepEqual(world.split?.weights, [{ podTemplateHash: hashFor(world, "shop:v1"), weight: 100 }]);
    assert.deepEqual(replicasByImage(world), { "shop:v1": 2, "shop:v2": 0 });
    assert.deepEqual(order, ["weights", "pods"]);
  });

  it("runs a new analysis after a retry", () => {
    const installed = run(worldOf(rollout({}, steps), true));
    const aborted = run(withImage(installed, "shop:v2"), () => "Failed");
    const status = { ...aborted.rollout.status, abort: false };
    const world = run({ ...aborted, rollout: { ...aborted.rollout, status } });
    assert.equal(world.rollout.status?.phase, "Healthy");
    assert.deepEqual(
      world.analysisRuns.map(({ metadata }) => metadata.name.replace(hashFor(world, "shop:v2"), "hash")),
      ["web-hash-2-2", "web-hash-2-2.1"],
    );
  });

  it("skips the steps when the stable template comes back", () => {
    const installed = run(worldOf(rollout({}, [{ setWeight: 50 }, { pause: {} }]), true));
    const paused = run(withImage(installed, "shop:v2"));
    assert.equal(paused.rollout.status?.phase, "Paused");
    const world = run(withImage(paused, "shop:v1"));
    assert.equal(world.rollout.status?.phase, "Healthy");
    assert.equal(
      world.events.at(-1)?.reason === "SkipSteps" || world.events.some((one) => one.reason === "SkipSteps"),
      true,
    );
    assert.deepEqual(replicasByImage(world), { "shop:v1": 2, "shop:v2": 0 });
  });

  it("waits at a pause without duration, and goes on when it is cleared", () => {
    const installed = run(worldOf(rollout({}, [{ setWeight: 50 }, { pause: {} }]), true));
    const paused = run(withImage(installed, "shop:v2"));
    assert.deepEqual(
      [paused.rollout.status?.phase, paused.rollout.status?.message, paused.rollout.status?.controllerPause],
      ["Paused", "CanaryPauseStep", true],
    );
    assert.deepEqual(paused.rollout.status?.canary?.weights?.canary.weight, 50);
    const status = { ...paused.rollout.status, pauseConditions: null };
    const world = run({ ...paused, rollout: { ...paused.rollout, status } });
    assert.equal(world.rollout.status?.phase, "Healthy");
  });

  it("promotes in full on request, also after an abort", () => {
    const installed = run(worldOf(rollout({}, steps), true));
    const aborted = run(withImage(installed, "shop:v2"), () => "Failed");
    const status = { ...aborted.rollout.status, promoteFull: true };
    const world = run({ ...aborted, rollout: { ...aborted.rollout, status } });
    assert.equal(world.rollout.status?.phase, "Healthy");
    assert.equal(world.rollout.status?.abort, undefined);
    assert.deepEqual(replicasByImage(world), { "shop:v1": 0, "shop:v2": 2 });
  });

  it("aborts on a failed background analysis in the middle of a pause", () => {
    const one = rollout({ strategy: { canary: { analysis, steps: [{ setWeight: 20 }, { pause: {} }] } } });
    const installed = run(worldOf(one, true));
    const world = run(withImage(installed, "shop:v2"), (name) => (name.endsWith("-2") ? "Failed" : "Successful"));
    assert.match(world.rollout.status?.message ?? "", /Background analysis phase error\/failed/);
    assert.equal(world.rollout.status?.pauseConditions, undefined);
  });

  it("pauses on an inconclusive analysis and scales nothing", () => {
    const installed = run(worldOf(rollout({}, steps), true));
    const world = run(withImage(installed, "shop:v2"), () => "Inconclusive");
    assert.deepEqual(
      [world.rollout.status?.phase, world.rollout.status?.message],
      ["Paused", "InconclusiveAnalysisRun"],
    );
  });

  it("refuses a missing template before anything moves, and says where", () => {
    const installed = run(worldOf(rollout({}, steps), true));
    const world = run({ ...withImage(installed, "shop:v2"), templates: [] });
    assert.equal(world.rollout.status?.phase, "Degraded");
    assert.match(
      world.rollout.status?.message ?? "",
      /spec\.strategy\.canary\.steps\[2\]\.analysis\.templates: AnalysisTemplate 'success-rate' not found/,
    );
    assert.deepEqual(replicasByImage(world), { "shop:v1": 2 });
  });

  it("does not redeploy when a server has filled in defaults", () => {
    const installed = run(worldOf(rollout({}, steps), true));
    const filled = structuredClone(installed.rollout);
    filled.metadata.generation = 2;
    Object.assign(filled.spec.template.spec, {
      restartPolicy: "Always",
      dnsPolicy: "ClusterFirst",
      securityContext: {},
    });
    const world = run({ ...installed, rollout: filled });
    assert.equal(world.replicaSets.length, 1);
  });

  it("keeps as many old revisions as revisionHistoryLimit says", () => {
    let world = run(worldOf(rollout({ revisionHistoryLimit: 2 }, []), false));
    for (const version of [2, 3, 4, 5]) {
      world = run(withImage({ ...world, now: world.now.add({ seconds: 5 }) }, `shop:v${version}`));
    }
    assert.deepEqual(replicasByImage(world), { "shop:v3": 0, "shop:v4": 0, "shop:v5": 1 + 1 });
  });

  it("is degraded when its pods do not come up in time, and aborts if it is told to", () => {
    for (const progressDeadlineAbort of [false, true]) {
      const installed = run(worldOf(rollout({ progressDeadlineAbort, progressDeadlineSeconds: 30 }, steps), true));
      let world = withImage(installed, "shop:v2");
      for (let round = 0; round < 20; round++) {
        world = verifySplit(reconcileWorld(world, planRollout));
        const next = hashOf(world.replicaSets.at(-1) as ReplicaSet);
        world = settlePods(world, (set, spec) => (hashOf(set) === next ? 0 : spec));
        world = { ...world, now: world.now.add({ seconds: 5 }) };
      }
      const name = world.replicaSets.at(-1)?.metadata.name ?? "";
      const late = `ReplicaSet "${name}" has timed out progressing.`;
      const { phase, message } = world.rollout.status ?? {};
      assert.equal(phase, "Degraded");
      const aborted = `RolloutAborted: Rollout aborted update to revision 2: ${late}`;
      assert.equal(message, progressDeadlineAbort ? aborted : `ProgressDeadlineExceeded: ${late}`);
      assert.equal(world.replicaSets.at(-1)?.spec.replicas, progressDeadlineAbort ? 0 : 1);
      assert.deepEqual(world.split?.weights.length, 1);
    }
  });

  it("scales while it is paused by hand, but does not go on", () => {
    const installed = run(worldOf(rollout({ replicas: 4 }, [{ setWeight: 25 }, { pause: {} }]), true));
    const paused = run(withImage(installed, "shop:v2"));
    const spec = { ...paused.rollout.spec, paused: true, replicas: 8 };
    const world = run({ ...paused, rollout: { ...paused.rollout, spec } });
    assert.equal(world.rollout.status?.message, "manually paused");
    assert.deepEqual(replicasByImage(world), { "shop:v1": 6, "shop:v2": 2 });
    assert.equal(world.rollout.status?.currentStepIndex, 1);
  });

  it("skips the steps on the way back to a revision within rollbackWindow", () => {
    const window = { rollbackWindow: { revisions: 2 } };
    let world = run(worldOf(rollout(window, [{ setWeight: 50 }]), true));
    world = run(withImage({ ...world, now: world.now.add({ seconds: 5 }) }, "shop:v2"));
    const back = run(withImage({ ...world, now: world.now.add({ seconds: 5 }), events: [] }, "shop:v1"));
    assert.equal(back.rollout.status?.phase, "Healthy");
    assert.match(
      back.events.find(({ reason }) => reason === "RolloutCompleted")?.message ?? "",
      /Rollback within window$/,
    );
    assert.equal(back.rollout.metadata.annotations?.["rollout.argoproj.io/revision"], "3");
  });

  it("keeps two templates apart that have one short hash", () => {
    const installed = run(worldOf(rollout({}, []), true));
    const next = withImage(installed, "shop:v2");
    const planned = run(next);
    // The first revision's set pretends to have the second one's hash.
    const hash = hashFor(planned, "shop:v2");
    const replicaSets = installed.replicaSets.map((set) => ({
      ...set,
      metadata: { ...set.metadata, labels: { ...set.metadata.labels, "rollouts-pod-template-hash": hash } },
    }));
    const status = { ...next.rollout.status, stableRS: hash, currentPodHash: hash };
    const world = run({ ...next, replicaSets, rollout: { ...next.rollout, status } });
    assert.equal(world.rollout.status?.collisionCount, 1);
    assert.deepEqual(replicasByImage(world), { "shop:v1": 0, "shop:v2": 2 });
  });

  it("moves requests off an abandoned revision before it takes its pods", () => {
    const installed = run(worldOf(rollout({}, [{ setWeight: 50 }, { pause: {} }]), true));
    const second = run(withImage(installed, "shop:v2"));
    const third = run(withImage(second, "shop:v3"));
    assert.equal(third.rollout.status?.message, "CanaryPauseStep");
    assert.deepEqual(replicasByImage(third), { "shop:v1": 1, "shop:v2": 0, "shop:v3": 1 });
    assert.deepEqual(
      third.split?.weights.map(({ weight }) => weight),
      [50, 50],
    );
  });

  it("can be simulated in virtual time", () => {
    const installed = run(worldOf(rollout({}, steps), true));
    const next = withImage(installed, "shop:v2");
    const { rollout: one, replicaSets, templates } = next;
    const moments = simulateRollout({ rollout: one, replicaSets, templates, exactWeights: true, start: next.now });
    assert.equal(moments.at(-1)?.phase, "Healthy");
    const shares = moments.flatMap(
      (moment) => moment.weights?.find((one) => one.podTemplateHash !== hashFor(installed, "shop:v1"))?.weight ?? [],
    );
    assert.deepEqual([...new Set(shares)], [10, 50, 100]);
    // 10 s of pause and 60 s of analysis
    assert.ok((moments.at(-1)?.atMs ?? 0) >= 70_000 && (moments.at(-1)?.atMs ?? 0) < 90_000);
  });
});

describe("laws of a canary rollout", () => {
  const stepArbitrary: fc.Arbitrary<CanaryStep> = fc.oneof(
    fc.integer({ min: 0, max: 100 }).map((setWeight) => ({ setWeight })),
    fc.constant<CanaryStep>({ pause: { duration: 1 } }),
    fc.constant<CanaryStep>({ analysis }),
  );
  const shape = fc.record({
    replicas: fc.integer({ min: 1, max: 12 }),
    maxSurge: fc.integer({ min: 0, max: 3 }),
    maxUnavailable: fc.integer({ min: 0, max: 3 }),
    steps: fc.array(stepArbitrary, { maxLength: 6 }),
    exact: fc.boolean(),
    good: fc.boolean(),
    cuts: fc.array(fc.nat(9), { maxLength: 40 }),
    luck: fc.array(fc.boolean(), { minLength: 1, maxLength: 50 }),
  });

  /** What can still move things on. */
  function digest({ rollout: one, replicaSets, analysisRuns, split }: World): string {
    const sets = replicaSets.map(({ metadata, spec, status }) => [metadata.annotations, spec.replicas, status]);
    return JSON.stringify([one.metadata, one.status, sets, analysisRuns.map(({ status }) => status), split]);
  }

  /** A world in which pods take their time, routers lag and the process dies after `cuts` actions again and again. */
  function live(world: World, verdict: AnalysisPhase, cuts: readonly number[], luck: readonly boolean[]): World {
    let current = world;
    let chance = 0;
    const lucky = (): boolean => luck[chance++ % luck.length] === true || chance > 300;
    for (let round = 0; round < 1500; round++) {
      let left = cuts[round] ?? 1000;
      const before = digest(current);
      current = reconcileWorld(current, planRollout, (at, action) => {
        if (left-- <= 0) return undefined;
        checkAction(at, action);
        return applyAction(at, action);
      });
      const idle = digest(current) === before;
      if (lucky()) current = verifySplit(current);
      current = settlePods(current, (set, spec) =>
        Math.min(spec, (set.status?.availableReplicas ?? 0) + (lucky() ? 1 : 0)),
      );
      current = settleRuns(current, () => (lucky() ? verdict : undefined));
      const { now, wakeAt } = current;
      // Deadlines are 10 min away; pauses and the like are not.
      const isSoon = wakeAt !== undefined && Temporal.Instant.compare(wakeAt, now.add({ seconds: 100 })) < 0;
      if (idle && isSoon) current = { ...current, now: wakeAt };
      else if (idle && chance > 300 && digest(current) === before) return current;
    }
    return current;
  }

  function checkAction(world: World, action: Action): void {
    const { replicas = 1 } = world.rollout.spec;
    if (action.kind === "setWeights") {
      assert.equal(
        action.weights.reduce((sum, { weight }) => sum + weight, 0),
        100,
      );
      for (const { podTemplateHash, weight } of action.weights) {
        const set = world.replicaSets.find((one) => hashOf(one) === podTemplateHash);
        assert.ok(weight > 0 && set !== undefined && sizeOf(set).available > 0, "a share for a revision without pods");
      }
    }
    if (action.kind === "scaleReplicaSet") {
      const after = world.replicaSets.map((set) =>
        set.metadata.name === action.name ? action.replicas : sizeOf(set).spec,
      );
      const total = after.reduce((sum, count) => sum + count, 0);
      const most = replicas + rolloutLimits(world.rollout).maxSurge;
      const now = world.replicaSets.reduce((sum, set) => sum + sizeOf(set).spec, 0);
      assert.ok(total <= Math.max(most, now), `${total} pods of at most ${most}`);
      const set = world.replicaSets.find(({ metadata }) => metadata.name === action.name);
      if (
        world.exact &&
        action.replicas === 0 &&
        set !== undefined &&
        world.split !== undefined &&
        sizeOf(set).spec > 0
      ) {
        const share = world.split.weights.find((one) => one.podTemplateHash === hashOf(set))?.weight ?? 0;
        // Whoever allows all pods to be missing at once gets that.
        const mayBeDown = rolloutLimits(world.rollout).maxUnavailable >= replicas;
        assert.ok(share === 0 || sizeOf(set).available === 0 || mayBeDown, "pods taken from a revision with requests");
        assert.equal(world.split.verified, true);
      }
    }
  }

  it("comes to the same end however often it is cut, and never gives a share to nobody", () => {
    fc.assert(
      fc.property(shape, ({ replicas, maxSurge, maxUnavailable, steps, exact, good, cuts, luck }) => {
        const surge = maxSurge === 0 && maxUnavailable === 0 ? 1 : maxSurge;
        const one = rollout({ replicas, strategy: { canary: { steps, maxSurge: surge, maxUnavailable } } });
        const verdict = good ? "Successful" : "Failed";
        const installed = live(worldOf(one, exact), verdict, cuts, luck);
        assert.equal(installed.rollout.status?.phase, "Healthy", JSON.stringify(installed.rollout.status));
        const next = withImage({ ...installed, events: [] }, "shop:v2");
        const world = live(next, verdict, cuts, luck);
        const analysed = steps.some((step) => step.analysis !== undefined);
        const promoted = good || !analysed;
        const { status } = world.rollout;
        assert.equal(status?.phase, promoted ? "Healthy" : "Degraded", JSON.stringify(status));
        assert.deepEqual(
          replicasByImage(world),
          promoted ? { "shop:v1": 0, "shop:v2": replicas } : { "shop:v1": replicas, "shop:v2": 0 },
        );
        if (exact) {
          const winner = hashFor(world, promoted ? "shop:v2" : "shop:v1");
          assert.deepEqual(world.split?.weights, [{ podTemplateHash: winner, weight: 100 }]);
        }
        // A run for every analysis that was reached, never two.
        const wanted = promoted ? steps.filter((step) => step.analysis !== undefined).length : 1;
        // Five finished runs are kept; a sixth may still be the current one when the last plan is made.
        const kept = world.analysisRuns.length;
        assert.ok(kept === Math.min(wanted, 5) || kept === Math.min(wanted, 6), `${kept} runs for ${wanted} analyses`);
      }),
      { numRuns: 60 },
    );
  });
});
