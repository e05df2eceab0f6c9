import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodSpec } from "#api";
import type { ContainerRecord } from "../ports.ts";
import { planPod, type PodObserved, type StartFailure } from "./plan-pod.ts";
import { podStatus } from "./pod-status.ts";
import { backOffMs, streakLabel } from "./restart.ts";

const now = Temporal.Instant.from("2026-01-01T01:00:00Z");
const at = (seconds: number): Temporal.Instant => now.add({ seconds });
const identity = { uid: "u", namespace: "default", name: "web" };

function podOf(spec: Partial<PodSpec> = {}, metadata: Partial<Pod["metadata"]> = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...identity, ...metadata },
    spec: { containers: [{ name: "app", image: "app:1" }], restartPolicy: "Always", ...spec },
  };
}

function running(name = "app", attempt = 0): ContainerRecord {
  return record(name, attempt, { kind: "running", startedAt: at(-60) });
}

function exited(
  exitCode: number,
  options: { name?: string; attempt?: number; streak?: number; ago?: number; ran?: number; witnessed?: boolean } = {},
): ContainerRecord {
  const { name = "app", attempt = 0, streak = 0, ago = 1, ran = 5, witnessed = true } = options;
  const state = { kind: "exited", exitCode, startedAt: at(-ago - ran), finishedAt: at(-ago), witnessed } as const;
  return record(name, attempt, state, { [streakLabel]: String(streak) });
}

function record(name: string, attempt: number, state: ContainerRecord["state"], labels = {}): ContainerRecord {
  return {
    id: `u_${name}_${attempt}`,
    pod: identity,
    name,
    attempt,
    image: { reference: "app:1", digest: "sha256:1" },
    labels,
    state,
  };
}

function observed(more: Partial<PodObserved> = {}): PodObserved {
  return {
    pod: podOf(),
    nowMs: now.epochMilliseconds,
    records: [],
    failures: new Map(),
    probes: new Map(),
    starting: new Set(),
    stopping: new Map(),
    lastWords: new Map(),
    unrouted: "no",
    ...more,
  };
}

/** `start app 1`, `stop u_app_0`, … */
function said(given: PodObserved): string[] {
  return planPod(given).actions.map((action) => {
    switch (action.kind) {
      case "start":
        return `start ${action.container.name} ${action.attempt}`;
      case "stop":
        return [`stop ${action.record.id}`, ...action.after].join(" after ");
      case "backOff":
      case "forget":
        return `${action.kind} ${action.record.id}`;
      case "unroute":
      case "finish":
        return action.kind;
    }
  });
}

const deleted = podOf({}, { deletionTimestamp: "2026-01-01T01:00:30Z", deletionGracePeriodSeconds: 30 });
const withInit = podOf({
  initContainers: [
    { name: "one", image: "i" },
    { name: "two", image: "i" },
  ],
});
const proxy = { name: "proxy", image: "i", restartPolicy: "Always" };
const withSidecar = podOf({
  initContainers: [proxy, { name: "setup", image: "i" }, { name: "log", image: "i", restartPolicy: "Always" }],
});
const failure: StartFailure = {
  reason: "ErrImagePull",
  message: "no",
  retryAtMs: at(7).epochMilliseconds,
  count: 1,
  ofConfiguration: false,
};
const dead = new Map([["u_app_0", { startup: undefined, readiness: true, liveness: false }]]);

const plans: { name: string; given: Partial<PodObserved>; want: string[] }[] = [
  { name: "a new pod's containers are started", given: {}, want: ["start app 0"] },
  { name: "what is being started is not started again", given: { starting: new Set(["app"]) }, want: [] },
  { name: "a running container is left alone", given: { records: [running()] }, want: [] },
  { name: "init containers come one after another", given: { pod: withInit }, want: ["start one 0"] },
  {
    name: "the next init container waits for the one before",
    given: { pod: withInit, records: [running("one")] },
    want: [],
  },
  {
    name: "after an init container has succeeded comes the next",
    given: { pod: withInit, records: [exited(0, { name: "one" })] },
    want: ["start two 0"],
  },
  {
    name: "after all init containers come the containers",
    given: { pod: withInit, records: [exited(0, { name: "one" }), exited(0, { name: "two" })] },
    want: ["start app 0"],
  },
  {
    name: "init containers whose record was lost do not run again beside the containers",
    given: { pod: withInit, records: [running()] },
    want: [],
  },
  {
    name: "a failed init container is tried again",
    given: { pod: withInit, records: [exited(1, { name: "one" })] },
    want: ["start one 1"],
  },
  { name: "the first crash is answered at once", given: { records: [exited(1)] }, want: ["start app 1"] },
  {
    name: "the second crash in a row waits",
    given: { records: [exited(1, { attempt: 1, streak: 1 })] },
    want: ["backOff u_app_1"],
  },
  {
    name: "until the back-off has passed",
    given: { records: [exited(1, { attempt: 1, streak: 1, ago: 11 })] },
    want: ["start app 2"],
  },
  {
    name: "a long run forgets earlier crashes",
    given: { records: [exited(1, { attempt: 8, streak: 8, ran: 601 })] },
    want: ["start app 9"],
  },
  {
    name: "OnFailure lets success rest",
    given: { pod: podOf({ restartPolicy: "OnFailure" }), records: [exited(0)] },
    want: [],
  },
  {
    name: "Never lets failure rest",
    given: { pod: podOf({ restartPolicy: "Never" }), records: [exited(1)] },
    want: [],
  },
  {
    name: "a start that failed is not tried before its time",
    given: { failures: new Map([["app", failure]]) },
    want: [],
  },
  {
    name: "a failed liveness probe stops the container",
    given: { records: [running()], probes: dead },
    want: ["stop u_app_0"],
  },
  {
    name: "which is done once",
    given: { records: [running()], probes: dead, stopping: new Map([["u_app_0", 30_000]]) },
    want: [],
  },
  {
    name: "of ended attempts the one before the present is kept",
    given: { records: [exited(1), exited(1, { attempt: 1 }), running("app", 2)] },
    want: ["forget u_app_0"],
  },
  {
    name: "a deleted pod is taken out of traffic first",
    given: { pod: deleted, records: [running()] },
    want: ["unroute"],
  },
  {
    name: "and not stopped before that is done",
    given: { pod: deleted, records: [running()], unrouted: "waiting" },
    want: [],
  },
  {
    name: "then it is stopped",
    given: { pod: deleted, records: [running()], unrouted: "yes" },
    want: ["stop u_app_0"],
  },
  {
    name: "and when nothing runs any more it goes",
    given: { pod: deleted, records: [exited(0)], unrouted: "yes" },
    want: ["finish"],
  },
  {
    name: "but not while something is still being started",
    given: { pod: deleted, starting: new Set(["app"]) },
    want: [],
  },
  {
    name: "a sidecar lets the next init container begin when it has started",
    given: { pod: withSidecar, records: [running("proxy")] },
    want: ["start setup 0"],
  },
  {
    name: "and not before its startup probe has succeeded",
    given: { pod: podOf({ initContainers: [{ ...proxy, startupProbe: {} }] }), records: [running("proxy")] },
    want: [],
  },
  {
    name: "nor while its postStart hook runs",
    given: { pod: withSidecar, records: [running("proxy")], starting: new Set(["proxy"]) },
    want: [],
  },
  {
    name: "a sidecar that ended runs again, whatever the pod's policy, beside the containers",
    given: {
      pod: podOf({ ...withSidecar.spec, restartPolicy: "Never" }),
      records: [exited(0, { name: "proxy" }), running("log"), running()],
    },
    want: ["start proxy 1"],
  },
  {
    name: "when all containers have ended for good the sidecars are stopped",
    given: { pod: podOf({ ...withSidecar.spec, restartPolicy: "Never" }), records: [running("proxy"), exited(0)] },
    want: ["stop u_proxy_0 after app after log"],
  },
  {
    name: "when an init container fails for good they are too",
    given: {
      pod: podOf({ ...withSidecar.spec, restartPolicy: "Never" }),
      records: [running("proxy"), exited(1, { name: "setup" })],
    },
    want: ["stop u_proxy_0 after app after log"],
  },
  {
    name: "a deleted pod's sidecars end after its containers, the last one first",
    given: {
      pod: { ...deleted, spec: withSidecar.spec },
      records: [running("proxy"), running("log"), running()],
      unrouted: "yes",
    },
    want: ["stop u_proxy_0 after app after log", "stop u_log_0 after app", "stop u_app_0"],
  },
  {
    name: "a shorter grace counts at once",
    given: {
      pod: { ...deleted, metadata: { ...deleted.metadata, deletionGracePeriodSeconds: 1 } },
      records: [running()],
      unrouted: "yes",
      stopping: new Map([["u_app_0", 30_000]]),
    },
    want: ["stop u_app_0"],
  },
  {
    name: "the same grace is not given twice",
    given: { pod: deleted, records: [running()], unrouted: "yes", stopping: new Map([["u_app_0", 30_000]]) },
    want: [],
  },
  {
    name: "a deleted pod's containers are not restarted",
    given: { pod: deleted, records: [exited(1)] },
    want: ["finish"],
  },
];

for (const { name, given, want } of plans) test(name, () => assert.deepEqual(said(observed(given)), want));

test("the restart back-off doubles from 10 s to 5 min", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6, 7].map((streak) => backOffMs(streak) / 1000),
    [0, 10, 20, 40, 80, 160, 300, 300],
  );
});

test("a waiting restart says when to look again", () => {
  const plan = planPod(observed({ records: [exited(1, { attempt: 1, streak: 1, ago: 4 })] }));
  assert.equal(plan.wakeAtMs, at(6).epochMilliseconds);
});

const facts = { runtimeName: "process", hostIp: "127.0.0.1", podIp: "127.0.0.1" };
const probed = podOf({ containers: [{ name: "app", image: "app:1", readinessProbe: { tcpSocket: { port: 1 } } }] });
const verdict = (readiness: boolean): PodObserved["probes"] =>
  new Map([["u_app_0", { startup: undefined, readiness, liveness: undefined }]]);

/** `phase ready=… state` */
function shown(given: PodObserved): string {
  const status = podStatus(given, facts);
  const ready = status.conditions?.find(({ type }) => type === "Ready")?.status;
  const state = status.containerStatuses?.[0]?.state ?? {};
  return `${status.phase} ready=${ready} ${state.waiting?.reason ?? state.terminated?.reason ?? (state.running ? "running" : "?")}`;
}

const statuses: { name: string; given: Partial<PodObserved>; want: string }[] = [
  { name: "before the start a pod is pending", given: {}, want: "Pending ready=False ContainerCreating" },
  {
    name: "while init containers run it is pending too",
    given: { pod: withInit, records: [running("one")] },
    want: "Pending ready=False PodInitializing",
  },
  {
    name: "without a readiness probe a running container is ready",
    given: { records: [running()] },
    want: "Running ready=True running",
  },
  {
    name: "with one it is ready when the probe says so",
    given: { pod: probed, records: [running()], probes: verdict(true) },
    want: "Running ready=True running",
  },
  { name: "and not before", given: { pod: probed, records: [running()] }, want: "Running ready=False running" },
  {
    name: "a container that is stopped for its liveness is no longer ready",
    given: { records: [running()], stopping: new Map([["u_app_0", 30_000]]) },
    want: "Running ready=False running",
  },
  {
    name: "a terminating pod stays ready as long as it serves",
    given: { pod: deleted, records: [running()], stopping: new Map([["u_app_0", 30_000]]) },
    want: "Running ready=True running",
  },
  {
    name: "a pod in back-off is running and says so",
    given: { records: [exited(1, { attempt: 1, streak: 1 })] },
    want: "Running ready=False CrashLoopBackOff",
  },
  {
    name: "Never and exit 0 is success",
    given: { pod: podOf({ restartPolicy: "Never" }), records: [exited(0)] },
    want: "Succeeded ready=False Completed",
  },
  {
    name: "Never and exit 1 is failure",
    given: { pod: podOf({ restartPolicy: "Never" }), records: [exited(1)] },
    want: "Failed ready=False Error",
  },
  {
    name: "an end that nobody saw is told as such",
    given: { pod: podOf({ restartPolicy: "Never" }), records: [exited(137, { witnessed: false })] },
    want: "Failed ready=False ContainerStatusUnknown",
  },
  {
    name: "a sidecar that is not ready makes the pod unready",
    given: {
      pod: podOf({ initContainers: [{ ...proxy, readinessProbe: {} }] }),
      records: [running("proxy"), running()],
    },
    want: "Running ready=False running",
  },
  {
    name: "while sidecars still run a finished pod is running",
    given: { pod: podOf({ initContainers: [proxy], restartPolicy: "Never" }), records: [running("proxy"), exited(0)] },
    want: "Running ready=False Completed",
  },
  {
    name: "how sidecars ended does not count",
    given: {
      pod: podOf({ initContainers: [proxy], restartPolicy: "Never" }),
      records: [exited(137, { name: "proxy" }), exited(0)],
    },
    want: "Succeeded ready=False Completed",
  },
  {
    name: "an init container that fails under Never fails the pod",
    given: { pod: podOf({ ...withInit.spec, restartPolicy: "Never" }), records: [exited(1, { name: "one" })] },
    want: "Failed ready=False PodInitializing",
  },
  {
    name: "a readiness gate that nobody opened keeps the pod unready",
    given: { pod: podOf({ readinessGates: [{ conditionType: "example.com/up" }] }), records: [running()] },
    want: "Running ready=False running",
  },
  {
    name: "a volume that waits is told by events, not by the state",
    given: { failures: new Map([["app", { ...failure, reason: "FailedMount" }]]) },
    want: "Pending ready=False ContainerCreating",
  },
  {
    name: "want of memory is told as such",
    given: {
      pod: podOf({ restartPolicy: "Never" }),
      records: [{ ...exited(137), state: { ...exited(137).state, oomKilled: true } as ContainerRecord["state"] }],
    },
    want: "Failed ready=False OOMKilled",
  },
  {
    name: "a start that failed shows why",
    given: { failures: new Map([["app", failure]]) },
    want: "Pending ready=False ErrImagePull",
  },
];

for (const { name, given, want } of statuses) test(name, () => assert.equal(shown(observed(given)), want));

test("what a container said last stands in its state", () => {
  const given = observed({
    pod: podOf({ restartPolicy: "Never" }),
    records: [exited(1)],
    lastWords: new Map([["u_app_0", "no database"]]),
  });
  const state = podStatus(given, facts).containerStatuses?.[0]?.state?.terminated;
  assert.equal(state?.message, "no database");
  assert.equal(state?.containerID, "process://u_app_0");
});

test("conditions are the node's in upstream's order, then those of others", () => {
  const eviction = { type: "DisruptionTarget", status: "True" } as const;
  const pod = { ...podOf(), status: { conditions: [eviction] } };
  const status = podStatus(observed({ pod, records: [running()] }), facts);
  assert.deepEqual(
    status.conditions?.map(({ type }) => type),
    ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled", "DisruptionTarget"],
  );
});

test("a condition's transition time moves only with its status", () => {
  const first = podStatus(observed({ records: [running()] }), facts);
  const later = observed({
    pod: { ...podOf(), status: first },
    nowMs: at(100).epochMilliseconds,
    records: [running()],
  });
  assert.deepEqual(podStatus(later, facts), first);
});
