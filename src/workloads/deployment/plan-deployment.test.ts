import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment, ReplicaSet } from "#api";
import { boundsOf } from "./bounds.ts";
import { type DeploymentAction, planDeployment } from "./plan-deployment.ts";
import { sizeAnnotations } from "./revisions.ts";

const now = Temporal.Instant.from("2026-01-01T00:10:00Z");

function deploymentOf(
  version = "2",
  spec: Partial<Deployment["spec"]> = {},
  status?: Deployment["status"],
): Deployment {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default", uid: "d", generation: 2 },
    spec: {
      replicas: 4,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "app", image: `app:${version}` }] },
      },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
      progressDeadlineSeconds: 600,
      ...spec,
    },
    ...(status === undefined ? {} : { status }),
  };
}

function setOf(version: string, replicas: number, available = replicas, revision = Number(version)): ReplicaSet {
  const labels = { app: "web", "pod-template-hash": `h${version}` };
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `web-h${version}`,
      namespace: "default",
      uid: `r${version}`,
      generation: 1,
      creationTimestamp: `2026-01-01T00:00:0${version}Z`,
      labels,
      annotations: { "deployment.kubernetes.io/revision": String(revision), ...sizeAnnotations(4, 1) },
      ownerReferences: [{ apiVersion: "apps/v1", kind: "Deployment", name: "web", uid: "d", controller: true }],
    },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "app", image: `app:${version}` }] } },
    },
    status: { replicas, readyReplicas: available, availableReplicas: available, observedGeneration: 1 },
  };
}

function said(action: DeploymentAction): string {
  switch (action.kind) {
    case "create":
      return `create ${action.replicaSet.spec.replicas}`;
    case "mark":
      return `mark ${action.revision}`;
    case "change": {
      const revision = action.annotations?.["deployment.kubernetes.io/revision"];
      const what = action.replicas === undefined ? `revision ${revision}` : `to ${action.replicas}`;
      return `${action.replicaSet.metadata.name} ${what}`;
    }
    case "adopt":
    case "release":
    case "delete":
      return `${action.kind} ${action.replicaSet.metadata.name}`;
  }
}

function plan(
  deployment: Deployment,
  replicaSets: ReplicaSet[],
  pods: Parameters<typeof planDeployment>[0]["pods"] = [],
): string[] {
  const marked = {
    ...deployment,
    metadata: { ...deployment.metadata, annotations: { "deployment.kubernetes.io/revision": "2" } },
  };
  return planDeployment({ deployment: marked, replicaSets, pods, now }).actions.map(said);
}

const recreate = { strategy: { type: "Recreate" } } as const;
const pod = { apiVersion: "v1", kind: "Pod", spec: { containers: [] } };
const oldPod = {
  ...pod,
  metadata: {
    name: "p",
    ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-h1", uid: "r1", controller: true }],
  },
};
const orphan = setOf("1", 4);
delete orphan.metadata.ownerReferences;

const cases: { name: string; want: string[]; given: () => string[] }[] = [
  { name: "the first ReplicaSet gets all replicas", given: () => plan(deploymentOf(), []), want: ["create 4"] },
  {
    name: "a new template's ReplicaSet begins with the surge",
    given: () => plan(deploymentOf(), [setOf("1", 4)]),
    want: ["create 1"],
  },
  {
    name: "old pods go as far as may be unavailable, while new ones start",
    given: () => plan(deploymentOf(), [setOf("1", 4), setOf("2", 1, 0)]),
    want: ["web-h1 to 3"],
  },
  {
    name: "then the new one grows into the room",
    given: () => plan(deploymentOf(), [setOf("1", 3), setOf("2", 1, 0)]),
    want: ["web-h2 to 2"],
  },
  {
    name: "and waits while nothing new is available",
    given: () => plan(deploymentOf(), [setOf("1", 3), setOf("2", 2, 0)]),
    want: [],
  },
  {
    name: "old pods that are not available go first and freely",
    given: () => plan(deploymentOf(), [setOf("1", 4, 2), setOf("2", 1, 1)]),
    want: ["web-h1 to 2"],
  },
  {
    name: "a finished update does nothing",
    given: () => plan(deploymentOf(), [setOf("1", 0), setOf("2", 4)]),
    want: [],
  },
  {
    name: "a template that comes back takes the newest revision first",
    given: () => plan(deploymentOf("1"), [setOf("1", 0), setOf("2", 4)]),
    want: ["web-h1 revision 3", "mark 3"],
  },
  {
    name: "and then grows like a new one",
    given: () => plan(deploymentOf("1"), [setOf("1", 0, 0, 2), setOf("2", 4, 4, 1)]),
    want: ["web-h1 to 1"],
  },
  {
    name: "Recreate ends the old ones first",
    given: () => plan(deploymentOf("2", recreate), [setOf("1", 4)]),
    want: ["web-h1 to 0"],
  },
  {
    name: "Recreate waits for the last old pod",
    given: () => plan(deploymentOf("2", recreate), [setOf("1", 0)], [oldPod]),
    want: [],
  },
  {
    name: "Recreate then starts the new ones",
    given: () => plan(deploymentOf("2", recreate), [setOf("1", 0)]),
    want: ["create 4"],
  },
  {
    name: "a paused Deployment rolls out nothing",
    given: () => plan(deploymentOf("2", { paused: true }), [setOf("1", 4)]),
    want: [],
  },
  {
    name: "but is scaled",
    given: () => plan(deploymentOf("2", { paused: true, replicas: 6 }), [setOf("1", 4)]),
    want: ["web-h1 to 6"],
  },
  {
    name: "scaling in the middle of an update is shared",
    given: () => plan(deploymentOf("2", { replicas: 8 }), [setOf("1", 3), setOf("2", 2)]),
    want: ["web-h2 to 4", "web-h1 to 6"],
  },
  {
    name: "a ReplicaSet without owner that matches is adopted and rolled",
    given: () => plan(deploymentOf(), [orphan]),
    want: ["adopt web-h1", "create 1"],
  },
  {
    name: "revisions beyond the limit are removed, oldest first",
    given: () => plan(deploymentOf("4", { revisionHistoryLimit: 1 }), [setOf("1", 0), setOf("3", 0), setOf("4", 4)]),
    want: ["mark 4", "delete web-h1"],
  },
];

for (const { name, given, want } of cases) test(name, () => assert.deepEqual(given(), want));

test("percentages of the surge round up, of the unavailable down, and one pod may always move", () => {
  const of = (replicas: number, maxSurge: string | number, maxUnavailable: string | number): number[] => {
    const { maxSurge: surge, maxUnavailable: unavailable } = boundsOf(
      deploymentOf("1", { replicas, strategy: { rollingUpdate: { maxSurge, maxUnavailable } } }),
    );
    return [surge, unavailable];
  };
  assert.deepEqual(
    [of(4, "25%", "25%"), of(1, "25%", "25%"), of(10, "25%", "25%"), of(3, 0, "10%"), of(2, 1, 5)],
    [
      [1, 1],
      [1, 0],
      [3, 2],
      [0, 1],
      [1, 2],
    ],
  );
});

function progressing(status: NonNullable<Deployment["status"]>): string | undefined {
  return status.conditions?.find(({ type }) => type === "Progressing")?.reason;
}

test("an update that makes no progress until its deadline says so, and one that does starts the deadline anew", () => {
  const stuck = { observedGeneration: 2, replicas: 5, updatedReplicas: 1, readyReplicas: 4, availableReplicas: 4 };
  const condition = {
    type: "Progressing",
    status: "True",
    reason: "ReplicaSetUpdated",
    lastUpdateTime: "2026-01-01T00:00:00Z",
  } as const;
  const deployment = deploymentOf("2", {}, { ...stuck, conditions: [condition] });
  const sets = [setOf("1", 4), setOf("2", 1, 0)];

  const late = planDeployment({ deployment, replicaSets: sets, pods: [], now });
  const moving = planDeployment({ deployment, replicaSets: [setOf("1", 4), setOf("2", 1, 1)], pods: [], now });

  assert.equal(progressing(late.status), "ProgressDeadlineExceeded");
  assert.equal(progressing(moving.status), "ReplicaSetUpdated");
  assert.equal(moving.wakeAtMs, now.add({ seconds: 600 }).epochMilliseconds);
});

test("a complete update is told in the words kubectl waits for", () => {
  const { status } = planDeployment({ deployment: deploymentOf(), replicaSets: [setOf("2", 4)], pods: [], now });
  assert.equal(progressing(status), "NewReplicaSetAvailable");
  assert.deepEqual(
    [
      status.observedGeneration,
      status.replicas,
      status.updatedReplicas,
      status.availableReplicas,
      status.unavailableReplicas,
    ],
    [2, 4, 4, 4, undefined],
  );
});
