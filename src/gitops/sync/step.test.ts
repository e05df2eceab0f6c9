import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { AnyObject, HealthStatusCode, ResourceResult } from "#api";
import { keyOfObject, keyText } from "../object-key.ts";
import { planStep, type SyncStep } from "./step.ts";
import { planTasks, type SyncTask, type TaskInput } from "./tasks.ts";

function object(kind: string, name: string, annotations: Record<string, string> = {}): AnyObject {
  return { apiVersion: "v1", kind, metadata: { name, namespace: "n", annotations } };
}

function wave(number: number): Record<string, string> {
  return { "argocd.argoproj.io/sync-wave": String(number) };
}

function hook(phase: string): Record<string, string> {
  return { "argocd.argoproj.io/hook": phase };
}

function plan(
  wanted: readonly AnyObject[],
  leftovers: readonly AnyObject[] = [],
  more: Partial<TaskInput> = {},
): SyncTask[] {
  const isHook = (target: AnyObject): boolean => target.metadata.annotations?.["argocd.argoproj.io/hook"] !== undefined;
  return planTasks({
    candidates: [
      ...wanted
        .filter((target) => !isHook(target))
        .map((target) => ({ key: keyOfObject(target), target, synced: false })),
      ...leftovers.map((live) => ({ key: keyOfObject(live), live, synced: false })),
    ],
    hooks: wanted.filter(isHook).map((target) => ({ key: keyOfObject(target), target })),
    options: new Set(),
    resources: undefined,
    runHooks: true,
    begun: new Set(),
    ...more,
  });
}

function names(tasks: readonly SyncTask[]): string[] {
  return tasks.map(
    ({ phase, wave, target, key }) => `${phase} ${wave} ${target === undefined ? "prune " : ""}${key.name}`,
  );
}

test("phases, then waves, then kinds, then names", () => {
  const wanted = [
    object("Rollout", "r"),
    object("Service", "s2"),
    object("Service", "s1"),
    object("Namespace", "ns", wave(1)),
    object("Job", "after", hook("PostSync")),
    object("Job", "before", hook("PreSync")),
    object("Deployment", "early", wave(-1)),
  ];

  assert.deepEqual(names(plan(wanted)), [
    "PreSync 0 before",
    "Sync -1 early",
    "Sync 0 s1",
    "Sync 0 s2",
    "Sync 0 r",
    "Sync 1 ns",
    "PostSync 0 after",
  ]);
});

test("leftovers go in mirrored waves, or after everything with PruneLast", () => {
  const leftovers = [object("ConfigMap", "first", wave(0)), object("ConfigMap", "last", wave(2))];
  const wanted = [object("Service", "s")];

  assert.deepEqual(names(plan(wanted, leftovers)), ["Sync 0 prune last", "Sync 0 s", "Sync 2 prune first"]);
  const options = new Set(["PruneLast=true"]);
  assert.deepEqual(names(plan(wanted, leftovers, { options })), [
    "Sync 0 s",
    "Sync 3 prune first",
    "Sync 3 prune last",
  ]);
});

test("a partial sync runs no hooks", () => {
  const wanted = [object("Service", "a"), object("Service", "b"), object("Job", "h", hook("PreSync"))];

  assert.deepEqual(names(plan(wanted, [], { resources: [{ kind: "Service", name: "b" }] })), ["Sync 0 b"]);
});

/** Runs a sync to its end; `healthOf` says what becomes of each object, `undefined` that its health is not judged. */
function simulate(
  tasks: readonly SyncTask[],
  healthOf: (name: string) => HealthStatusCode | undefined,
): { log: string[]; end: SyncStep } {
  let results: readonly ResourceResult[] = [];
  const log: string[] = [];
  for (let round = 0; round < 100; round++) {
    const progress = planStep({
      tasks,
      results,
      health: ({ key }) => {
        const status = healthOf(key.name);
        return { there: true, deleting: false, ...(status && { health: { status } }) };
      },
    });
    results = progress.results;
    const { step } = progress;
    if (step.kind !== "run") return { log, end: step };
    log.push(step.tasks.map(({ key }) => key.name).join(" "));
    const done = step.tasks.map((task): ResourceResult => ({
      ...task.key,
      version: "v1",
      status: task.target === undefined ? "Pruned" : "Synced",
      syncPhase: task.phase,
      hookPhase: task.target === undefined ? "Succeeded" : "Running",
      ...(task.hook && { hookType: task.phase }),
    }));
    results = [...results, ...done];
  }
  throw new Error("the plan does not end");
}

test("a sync of one group does not wait for health", () => {
  const { log, end } = simulate(plan([object("Deployment", "d"), object("Service", "s")]), () => "Progressing");

  assert.deepEqual(log, ["s d"]);
  assert.equal(end.kind === "finish" && end.phase, "Succeeded");
});

test("a wave waits for the one before", () => {
  const { log, end } = simulate(
    plan([object("Deployment", "d"), object("Service", "s", wave(1))]),
    () => "Progressing",
  );

  assert.deepEqual(log, ["d"]);
  assert.deepEqual(end, { kind: "wait", message: 'waiting for healthy state of Deployment "d"' });
});

test("a degraded wave fails the sync and runs the hooks for that", () => {
  const tasks = plan([
    object("Deployment", "d"),
    object("Service", "s", wave(1)),
    object("Job", "f", hook("SyncFail")),
  ]);

  const { log, end } = simulate(tasks, (name) => (name === "d" ? "Degraded" : "Healthy"));

  assert.deepEqual(log, ["d", "f"]);
  assert.equal(end.kind === "finish" && end.phase, "Failed");
});

test("a failed hook stops what comes after it", () => {
  const tasks = plan([object("Job", "before", hook("PreSync")), object("Service", "s")]);

  const { log, end } = simulate(tasks, () => "Degraded");

  assert.deepEqual(log, ["before"]);
  assert.equal(end.kind === "finish" && end.phase, "Failed");
});

test("every plan of healthy objects ends, and does each task exactly once, in order", () => {
  const any = fc.record({
    kind: fc.constantFrom("Service", "Deployment", "Rollout", "Namespace"),
    wave: fc.integer({ min: -2, max: 2 }),
    phase: fc.constantFrom("", "PreSync", "Sync", "PostSync", "SyncFail"),
    left: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 12 }), (specs) => {
      const objects = specs.map(({ kind, wave: number, phase }, index) =>
        object(kind, `o${index}`, { ...wave(number), ...(phase === "" ? {} : hook(phase)) }),
      );
      const isLeft = (_object: AnyObject, index: number): boolean =>
        specs[index]?.left === true && specs[index].phase === "";
      const tasks = plan(
        objects.filter((entry, index) => !isLeft(entry, index)),
        objects.filter(isLeft),
      );

      const { log, end } = simulate(tasks, () => "Healthy");

      assert.deepEqual(end, { kind: "finish", phase: "Succeeded", message: "successfully synced (all tasks run)" });
      const expected = tasks.filter(({ phase }) => phase !== "SyncFail").map(({ key }) => key.name);
      assert.deepEqual(
        log.flatMap((group) => group.split(" ")),
        expected,
      );
      assert.equal(new Set(tasks.map(({ key }) => keyText(key))).size, tasks.length);
    }),
  );
});
