import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnyObject, HealthStatusCode } from "#api";
import { applicationHealth, resourceHealth } from "./resource-health.ts";

type Row = readonly [name: string, kind: string, body: Record<string, unknown>, want: HealthStatusCode | undefined];

const seen = { observedGeneration: 1 };
const updated = { ...seen, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };

const rows: readonly Row[] = [
  [
    "a deployment that is rolled out is healthy",
    "apps/v1/Deployment",
    { spec: { replicas: 2 }, status: updated },
    "Healthy",
  ],
  ["a paused deployment is suspended", "apps/v1/Deployment", { spec: { paused: true }, status: updated }, "Suspended"],
  [
    "a deployment not yet observed is progressing",
    "apps/v1/Deployment",
    { spec: { replicas: 2 }, status: { ...updated, observedGeneration: 0 } },
    "Progressing",
  ],
  [
    "a deployment with old pods is progressing",
    "apps/v1/Deployment",
    { spec: { replicas: 2 }, status: { ...updated, replicas: 3 } },
    "Progressing",
  ],
  [
    "a deployment with pods that are not available is progressing",
    "apps/v1/Deployment",
    { spec: { replicas: 2 }, status: { ...updated, availableReplicas: 1 } },
    "Progressing",
  ],
  [
    "a deployment past its deadline is degraded",
    "apps/v1/Deployment",
    {
      spec: { replicas: 2 },
      status: { ...seen, conditions: [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }] },
    },
    "Degraded",
  ],
  [
    "a replica set whose pods cannot be made is degraded",
    "apps/v1/ReplicaSet",
    { spec: {}, status: { ...seen, conditions: [{ type: "ReplicaFailure", status: "True", message: "quota" }] } },
    "Degraded",
  ],
  [
    "a stateful set between revisions is progressing",
    "apps/v1/StatefulSet",
    { spec: { replicas: 1 }, status: { ...seen, readyReplicas: 1, currentRevision: "a", updateRevision: "b" } },
    "Progressing",
  ],
  [
    "a daemon set on all its nodes is healthy",
    "apps/v1/DaemonSet",
    { spec: {}, status: { ...seen, desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 } },
    "Healthy",
  ],
  [
    "a ready pod is healthy",
    "v1/Pod",
    { spec: {}, status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } },
    "Healthy",
  ],
  [
    "a pod that cannot pull is degraded",
    "v1/Pod",
    {
      spec: {},
      status: {
        phase: "Pending",
        containerStatuses: [{ name: "c", state: { waiting: { reason: "ImagePullBackOff" } } }],
      },
    },
    "Degraded",
  ],
  [
    "a pod being created is progressing",
    "v1/Pod",
    {
      spec: {},
      status: {
        phase: "Pending",
        containerStatuses: [{ name: "c", state: { waiting: { reason: "ContainerCreating" } } }],
      },
    },
    "Progressing",
  ],
  [
    "a pod that crashed and is not ready is degraded",
    "v1/Pod",
    {
      spec: {},
      status: { phase: "Running", containerStatuses: [{ name: "c", lastState: { terminated: { exitCode: 1 } } }] },
    },
    "Degraded",
  ],
  [
    "a pod that is to end is progressing while it runs",
    "v1/Pod",
    { spec: { restartPolicy: "Never" }, status: { phase: "Running" } },
    "Progressing",
  ],
  [
    "a failed job is degraded",
    "batch/v1/Job",
    { status: { conditions: [{ type: "Failed", status: "True" }] } },
    "Degraded",
  ],
  [
    "a complete job is healthy",
    "batch/v1/Job",
    { status: { conditions: [{ type: "Complete", status: "True" }] } },
    "Healthy",
  ],
  ["a bound claim is healthy", "v1/PersistentVolumeClaim", { status: { phase: "Bound" } }, "Healthy"],
  [
    "a load balancer without an address is progressing",
    "v1/Service",
    { spec: { type: "LoadBalancer" } },
    "Progressing",
  ],
  ["an inner service is healthy", "v1/Service", { spec: {} }, "Healthy"],
  [
    "a paused rollout is suspended",
    "argoproj.io/v1alpha1/Rollout",
    { status: { observedGeneration: "1", phase: "Paused" } },
    "Suspended",
  ],
  [
    "an aborted rollout is degraded",
    "argoproj.io/v1alpha1/Rollout",
    { status: { observedGeneration: "1", phase: "Degraded" } },
    "Degraded",
  ],
  [
    "a rollout not yet observed is progressing",
    "argoproj.io/v1alpha1/Rollout",
    { status: { observedGeneration: "0", phase: "Healthy" } },
    "Progressing",
  ],
  [
    "an inconclusive analysis is unknown",
    "argoproj.io/v1alpha1/AnalysisRun",
    { status: { phase: "Inconclusive" } },
    "Unknown",
  ],
  ["a config map has no health", "v1/ConfigMap", {}, undefined],
  [
    "an object of a wrong shape does not break the pass",
    "apps/v1/Deployment",
    { spec: "?", status: [1] },
    "Progressing",
  ],
];

for (const [name, type, body, want] of rows) {
  test(name, () => {
    assert.equal(resourceHealth(object(type, body))?.status, want);
  });
}

function object(type: string, body: Record<string, unknown> = {}): AnyObject {
  const slash = type.lastIndexOf("/");
  return {
    apiVersion: type.slice(0, slash),
    kind: type.slice(slash + 1),
    metadata: { name: "x", generation: 1 },
    ...body,
  };
}

test("an object that is being deleted is progressing", () => {
  const pod = object("v1/Pod", { status: { phase: "Running" } });
  pod.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";

  assert.equal(resourceHealth(pod)?.status, "Progressing");
});

test("an application is as its worst object, and missing only when everything is", () => {
  const live = object("v1/Pod");
  const member = (status: HealthStatusCode) => ({ live, health: { status }, hook: false });
  const missing = { live: undefined, health: undefined, hook: false };

  assert.equal(applicationHealth([]), "Healthy");
  assert.equal(applicationHealth([member("Healthy"), member("Suspended"), member("Progressing")]), "Progressing");
  assert.equal(applicationHealth([member("Degraded"), member("Progressing")]), "Degraded");
  assert.equal(applicationHealth([missing, member("Healthy")]), "Healthy");
  assert.equal(applicationHealth([missing, missing]), "Missing");
});
