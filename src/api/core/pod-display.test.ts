import assert from "node:assert/strict";
import { test } from "node:test";
import { podDisplay } from "./pod-display.ts";
import type { ContainerStatus, Pod } from "./pod.ts";

const now = Temporal.Instant.from("2026-01-01T12:00:00Z");
const running = (name: string, more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name,
  image: "i",
  imageID: "",
  ready: true,
  started: true,
  restartCount: 0,
  state: { running: {} },
  ...more,
});
const ended = (name: string, exitCode: number, reason: string): ContainerStatus =>
  running(name, { ready: exitCode === 0, started: false, state: { terminated: { exitCode, reason } } });
const waiting = (name: string, reason: string): ContainerStatus =>
  running(name, { ready: false, started: false, state: { waiting: { reason } } });

interface Given {
  readonly inits?: readonly ContainerStatus[];
  readonly containers: readonly ContainerStatus[];
  readonly sidecars?: readonly string[];
  readonly status?: Pod["status"];
  readonly deleted?: boolean;
}

/** `ready status restarts` */
function shown({ inits = [], containers, sidecars = [], status = {}, deleted = false }: Given): string {
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", ...(deleted ? { deletionTimestamp: "2026-01-01T12:00:00Z" } : {}) },
    spec: {
      containers: containers.map(({ name }) => ({ name, image: "i" })),
      initContainers: inits.map(({ name }) => ({
        name,
        image: "i",
        ...(sidecars.includes(name) ? { restartPolicy: "Always" } : {}),
      })),
    },
    status: { phase: "Running", initContainerStatuses: [...inits], containerStatuses: [...containers], ...status },
  };
  const { ready, status: text, restarts } = podDisplay(pod, now);
  return `${ready} ${text} ${restarts}`;
}

const initialized = { conditions: [{ type: "Initialized", status: "True" } as const] };
const crashed = { terminated: { exitCode: 1, finishedAt: "2026-01-01T11:55:00Z" } };
const cases: { name: string; given: Given; want: string }[] = [
  { name: "a pod that runs", given: { containers: [running("a"), running("b")] }, want: "2/2 Running 0" },
  {
    name: "one of two is ready",
    given: { containers: [running("a"), running("b", { ready: false })] },
    want: "1/2 Running 0",
  },
  {
    name: "the second init container runs",
    given: {
      inits: [ended("i", 0, "Completed"), running("j", { started: false, ready: false })],
      containers: [waiting("a", "PodInitializing")],
      status: { phase: "Pending" },
    },
    want: "0/1 Init:1/2 0",
  },
  {
    name: "an init container crashes",
    given: {
      inits: [{ ...waiting("i", "CrashLoopBackOff"), restartCount: 2, lastState: crashed }],
      containers: [waiting("a", "PodInitializing")],
      status: { phase: "Pending" },
    },
    want: "0/1 Init:CrashLoopBackOff 2 (5m ago)",
  },
  {
    name: "sidecars that have started count as containers",
    given: { inits: [running("proxy")], sidecars: ["proxy"], containers: [running("a")], status: initialized },
    want: "2/2 Running 0",
  },
  {
    name: "a sidecar that crashes later does not take the pod back to its beginning",
    given: {
      inits: [{ ...waiting("proxy", "CrashLoopBackOff"), restartCount: 3, lastState: crashed }],
      sidecars: ["proxy"],
      containers: [running("a")],
      status: initialized,
    },
    want: "1/2 Init:CrashLoopBackOff 3 (5m ago)",
  },
  {
    name: "a container in back-off",
    given: { containers: [waiting("a", "CrashLoopBackOff")] },
    want: "0/1 CrashLoopBackOff 0",
  },
  {
    name: "one has ended and the other serves on",
    given: {
      containers: [ended("a", 0, "Completed"), running("b")],
      status: { conditions: [{ type: "Ready", status: "False" }] },
    },
    want: "1/2 NotReady 0",
  },
  { name: "a pod on its way out", given: { containers: [running("a")], deleted: true }, want: "1/1 Terminating 0" },
  {
    name: "a pod behind a gate",
    given: {
      containers: [],
      status: { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] },
    },
    want: "0/0 SchedulingGated 0",
  },
];

for (const { name, given, want } of cases) test(name, () => assert.equal(shown(given), want));
