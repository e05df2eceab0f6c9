import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rollout } from "#api";
import { releaseEvents } from "./release-events.ts";
import { readTrailers } from "./trailers.ts";

type Status = NonNullable<Rollout["status"]>;

function rollout(status: Status, generation = 2): Rollout {
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Rollout",
    metadata: { name: "shop", namespace: "production", uid: "u1", generation },
    spec: {
      selector: { matchLabels: { app: "shop" } },
      template: { spec: { containers: [{ name: "shop", image: "shop:2" }] } },
      strategy: { canary: { steps: [{ setWeight: 10 }] } },
    },
    status: { observedGeneration: "2", currentPodHash: "new", stableRS: "old", ...status },
  };
}

const weights = (weight: number): Status => ({
  canary: { weights: { canary: { weight, podTemplateHash: "new" }, stable: { weight: 100 - weight } } },
});

const cases: readonly {
  name: string;
  status: Status;
  generation?: number;
  revision?: string;
  want: readonly string[];
}[] = [
  { name: "a release without a weight yet has only begun", status: {}, want: ["rollout-started"] },
  { name: "a weight is a step", status: weights(10), want: ["rollout-started", "rollout-step"] },
  {
    name: "a release that is stable and healthy is promoted",
    status: { stableRS: "new", phase: "Healthy", ...weights(100) },
    want: ["rollout-started", "rollout-promoted"],
  },
  {
    name: "stable but not healthy yet is not promoted",
    status: { stableRS: "new", phase: "Progressing" },
    want: ["rollout-started"],
  },
  {
    name: "an abort is one, whatever weight the status still holds",
    status: { abort: true, abortedAt: "t", ...weights(10) },
    want: ["rollout-started", "rollout-aborted"],
  },
  {
    name: "a status of an older spec says nothing of the new one",
    status: { phase: "Healthy", stableRS: "new" },
    generation: 3,
    want: [],
  },
];
for (const { name, status, generation, want } of cases) {
  test(name, () => {
    const events = releaseEvents(rollout(status, generation), { now: "t0", revision: "4", causes: ["sync:x"] });
    assert.deepEqual(
      events.map((event) => event.kind),
      want,
    );
  });
}

test("without a ReplicaSet there is no revision to speak of", () => {
  assert.deepEqual(releaseEvents(rollout({}), { now: "t0", revision: undefined, causes: [] }), []);
});

test("an abort names the analysis that condemned the release", () => {
  const status: Status = {
    abort: true,
    abortedAt: "t",
    canary: { currentStepAnalysisRunStatus: { name: "shop-new-4-1", status: "Failed" } },
  };
  const events = releaseEvents(rollout(status), { now: "t0", revision: "4", causes: [] });
  const aborted = events.find((event) => event.kind === "rollout-aborted");
  assert.deepEqual(aborted?.causes, ["release:u1:4:new", "analysis:production/shop-new-4-1"]);
});

test("each share is its own event, the same one when it is seen again, also by a later step", () => {
  const id = (weight: number, index: number): string | undefined =>
    releaseEvents(rollout({ ...weights(weight), currentStepIndex: index }), { now: "t0", revision: "4", causes: [] })[1]
      ?.id;
  assert.equal(id(10, 0), id(10, 1));
  assert.notEqual(id(10, 0), id(50, 2));
});

const messages = [
  {
    name: "trailers after a body",
    text: "Title\n\nBody.\n\nA-B: c\nTidegate-Image: x@sha256:1\n",
    want: { "A-B": "c", "Tidegate-Image": "x@sha256:1" },
  },
  { name: "none in a title that looks like one", text: "fix: something", want: {} },
  { name: "none when a line of the paragraph is prose", text: "Title\n\nSee: this\nand that", want: {} },
] as const;
for (const { name, text, want } of messages) {
  test(`a commit message has ${name}`, () => assert.deepEqual(Object.fromEntries(readTrailers(text)), want));
}
