import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Job, Pod } from "#api";
import { isActive } from "../pod-state.ts";
import { trackingFinalizer } from "./job-pods.ts";
import { planJob } from "./plan-job.ts";
import { finalCondition } from "./verdict.ts";

interface Shape {
  readonly completions: number;
  readonly parallelism: number;
  readonly backoffLimit: number;
}

/** A store, and a controller that dies after any number of its writes; what it wrote stays. */
class World {
  job: Job;
  pods: Pod[] = [];
  /** Every pod there ever was, and how it ended. */
  readonly ends = new Map<string, "Succeeded" | "Failed" | undefined>();
  #now = Temporal.Instant.from("2026-01-01T00:00:00Z");

  constructor(shape: Shape) {
    this.job = {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "sum", namespace: "default", uid: "j" },
      spec: { ...shape, completionMode: "NonIndexed", template: { spec: { restartPolicy: "Never", containers: [] } } },
    };
  }

  /** @param alive how many of its writes the controller lives to make */
  reconcile(alive: number): void {
    const plan = planJob({ job: this.job, pods: this.pods, now: this.#now });
    const writes: (() => void)[] = [
      ...plan.abort.map((pod) => () => this.#change(pod, { deletionTimestamp: this.#now.toString() })),
      ...plan.create.map(() => () => this.#create()),
      () => (this.job = { ...this.job, status: plan.status }),
      ...plan.untrack.map((pod) => () => this.#change(pod, { finalizers: [] })),
    ];
    for (const write of writes.slice(0, alive)) write();
    this.#collect();
  }

  /** Longer than any back-off passes; some running pod ends. */
  live(choice: number, end: "Succeeded" | "Failed"): void {
    this.#now = this.#now.add({ hours: 1 });
    const running = this.pods.filter(({ status }) => status?.phase === "Running");
    // What was asked to stop stops, and counts as failed from then on, as upstream has it.
    const [going, staying] = [true, false].map((asked) =>
      running.filter(({ metadata }) => (metadata.deletionTimestamp !== undefined) === asked),
    );
    for (const pod of going ?? []) this.#end(pod, "Failed");
    const pod = staying?.[choice % Math.max(1, staying.length)];
    if (pod !== undefined) this.#end(pod, end);
    this.#collect();
  }

  #end(pod: Pod, phase: "Succeeded" | "Failed"): void {
    if (this.ends.get(pod.metadata.name) !== undefined) return;
    this.ends.set(pod.metadata.name, phase);
    this.pods = this.pods.map((one) => (one.metadata.uid === pod.metadata.uid ? { ...one, status: { phase } } : one));
  }

  #create(): void {
    const name = `p${this.ends.size}`;
    this.ends.set(name, undefined);
    const metadata = { name, uid: name, finalizers: [trackingFinalizer], creationTimestamp: this.#now.toString() };
    this.pods.push({ apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [] }, status: { phase: "Running" } });
  }

  #change({ metadata }: Pod, change: Partial<Pod["metadata"]>): void {
    this.pods = this.pods.map((pod) =>
      pod.metadata.uid === metadata.uid ? { ...pod, metadata: { ...pod.metadata, ...change } } : pod,
    );
  }

  /** Ended and asked to go, and nobody holds it. */
  #collect(): void {
    this.pods = this.pods.filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined ||
        (metadata.finalizers ?? []).length > 0 ||
        status?.phase === "Running",
    );
  }
}

test("however often the controller dies between two writes, each pod is counted once", () => {
  const shape = fc.record({
    completions: fc.integer({ min: 1, max: 6 }),
    parallelism: fc.integer({ min: 1, max: 4 }),
    backoffLimit: fc.integer({ min: 0, max: 3 }),
  });
  const moment = fc.record({
    alive: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant(100)),
    choice: fc.nat(10),
    end: fc.constantFrom("Succeeded" as const, "Succeeded" as const, "Failed" as const),
  });
  fc.assert(
    fc.property(shape, fc.array(moment, { minLength: 10, maxLength: 60 }), (wanted, moments) => {
      const world = new World(wanted);
      for (const { alive, choice, end } of moments) {
        world.reconcile(alive);
        assert.ok(world.pods.filter(isActive).length <= wanted.parallelism, "no more than may run side by side");
        world.live(choice, end);
      }
      for (let round = 0; round < 100 && finalCondition(world.job) === undefined; round++) {
        world.reconcile(100);
        world.live(0, "Succeeded");
      }
      world.reconcile(100);
      const ended = [...world.ends.values()];
      const { succeeded = 0, failed = 0, uncountedTerminatedPods } = world.job.status ?? {};
      assert.deepEqual(uncountedTerminatedPods, {});
      assert.equal(succeeded, ended.filter((end) => end === "Succeeded").length, "those that succeeded");
      assert.equal(failed, ended.filter((end) => end === "Failed").length, "those that failed");
      const complete = finalCondition(world.job)?.type === "Complete";
      assert.equal(complete, succeeded >= wanted.completions, "complete exactly when enough succeeded");
    }),
    { numRuns: 300 },
  );
});
