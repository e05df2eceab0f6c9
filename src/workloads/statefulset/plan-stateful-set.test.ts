import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolumeClaim, Pod, StatefulSet } from "#api";
import { identityLabels } from "./identity.ts";
import { planStatefulSet, type StatefulSetAction } from "./plan-stateful-set.ts";

const now = Temporal.Instant.from("2026-01-01T01:00:00Z");
const uid = "set-uid";

type Spec = Partial<StatefulSet["spec"]>;

const template = { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "db", image: "db:1" }] } };
const dataTemplate: PersistentVolumeClaim = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "data" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};

function setOf(replicas: number, spec: Spec = {}): StatefulSet {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db", namespace: "default", uid, generation: 2 },
    spec: { replicas, serviceName: "db", selector: { matchLabels: { app: "db" } }, template, ...spec },
  };
}

interface Traits {
  readonly revision?: string;
  readonly ready?: boolean;
  readonly readyFor?: number;
  readonly phase?: "Pending" | "Running" | "Succeeded" | "Failed";
  readonly going?: boolean;
}

function podOf(ordinal: number, traits: Traits = {}): Pod {
  const { revision = "new", ready = true, readyFor = 100, phase = "Running", going = false } = traits;
  const name = `db-${ordinal}`;
  const lastTransitionTime = now.subtract({ seconds: readyFor }).toString();
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${ordinal}`,
      labels: { app: "db", ...identityLabels(name, ordinal), "controller-revision-hash": revision },
      ...(going ? { deletionTimestamp: now.toString() } : {}),
    },
    spec: { containers: [] },
    status: { phase, conditions: ready ? [{ type: "Ready", status: "True", lastTransitionTime }] : [] },
  };
}

function claimOf(name: string, owners: { kind: string; name: string; uid: string }[] = []): PersistentVolumeClaim {
  const ownerReferences = owners.map((owner) => ({
    apiVersion: owner.kind === "Pod" ? "v1" : "apps/v1",
    ...owner,
    controller: true,
    blockOwnerDeletion: true,
  }));
  return {
    ...dataTemplate,
    metadata: { name, namespace: "default", ...(owners.length === 0 ? {} : { ownerReferences }) },
  };
}

function said(action: StatefulSetAction): string {
  switch (action.kind) {
    case "create":
    case "claims": {
      const claims = action.claims.map(({ metadata }) => ` +${metadata.name}`).join("");
      const { name, labels } = action.pod.metadata;
      return `${action.kind} ${name}${action.kind === "create" ? `@${labels?.["controller-revision-hash"]}` : ""}${claims}`;
    }
    case "owners":
      return `owners ${action.claim.metadata.name}: ${action.owners.map(({ kind }) => kind).join(",")}`;
    default:
      return `${action.kind} ${action.pod.metadata.name}`;
  }
}

function plan(set: StatefulSet, pods: Pod[], claims: PersistentVolumeClaim[] = []): ReturnType<typeof planStatefulSet> {
  const older = { ...template, spec: { containers: [{ name: "db", image: "db:0" }] } };
  return planStatefulSet({
    set,
    pods,
    claims,
    current: { name: "old", template: older },
    update: { name: "new", template },
    collisionCount: undefined,
    nowMs: now.epochMilliseconds,
  });
}

const parallel = { podManagementPolicy: "Parallel" } as const;
const withData = { volumeClaimTemplates: [dataTemplate] };
function rolling(
  rollingUpdate: NonNullable<NonNullable<StatefulSet["spec"]["updateStrategy"]>["rollingUpdate"]>,
): Spec {
  return { updateStrategy: { type: "RollingUpdate", rollingUpdate } };
}
const old: Traits = { revision: "old" };

const cases: { name: string; set: StatefulSet; pods: Pod[]; claims?: PersistentVolumeClaim[]; want: string[] }[] = [
  { name: "the first pod is made alone", set: setOf(3), pods: [], want: ["create db-0@new"] },
  { name: "the next waits until it is ready", set: setOf(3), pods: [podOf(0, { ready: false })], want: [] },
  { name: "and is made then", set: setOf(3), pods: [podOf(0)], want: ["create db-1@new"] },
  {
    name: "ready is not enough while minReadySeconds run",
    set: setOf(2, { minReadySeconds: 30 }),
    pods: [podOf(0, { readyFor: 10 })],
    want: [],
  },
  {
    name: "Parallel makes all at once",
    set: setOf(3, parallel),
    pods: [],
    want: ["create db-0@new", "create db-1@new", "create db-2@new"],
  },
  {
    name: "a gap is filled before what is behind it grows",
    set: setOf(4),
    pods: [podOf(0), podOf(2)],
    want: ["create db-1@new"],
  },
  {
    name: "ordinals begin where they are told to",
    set: setOf(2, { ordinals: { start: 5 } }),
    pods: [podOf(5)],
    want: ["create db-6@new"],
  },
  { name: "the last goes first", set: setOf(1), pods: [podOf(0), podOf(1), podOf(2)], want: ["delete db-2"] },
  {
    name: "and the one before it waits until it is gone",
    set: setOf(1),
    pods: [podOf(0), podOf(1), podOf(2, { going: true })],
    want: [],
  },
  {
    name: "Parallel lets all go at once",
    set: setOf(1, parallel),
    pods: [podOf(0), podOf(1), podOf(2)],
    want: ["delete db-2", "delete db-1"],
  },
  {
    name: "scaling down waits for a pod before it that is not ready",
    set: setOf(1),
    pods: [podOf(0, { ready: false }), podOf(1)],
    want: [],
  },
  {
    name: "an unready pod at the end may go when it is the first that is unhealthy",
    set: setOf(1),
    pods: [podOf(0), podOf(1, { ready: false })],
    want: ["delete db-1"],
  },
  {
    name: "a pod that ended is taken away to be made again, whatever its exit code",
    set: setOf(2),
    pods: [podOf(0, { phase: "Succeeded", ready: false }), podOf(1)],
    want: ["delete db-0"],
  },
  {
    name: "an update begins with the last",
    set: setOf(3),
    pods: [podOf(0, old), podOf(1, old), podOf(2, old)],
    want: ["delete db-2"],
  },
  {
    name: "and waits until that is ready again",
    set: setOf(3),
    pods: [podOf(0, old), podOf(1, old), podOf(2, { ready: false })],
    want: [],
  },
  {
    name: "a partition keeps what is below it",
    set: setOf(3, rolling({ partition: 2 })),
    pods: [podOf(0, old), podOf(1, old), podOf(2)],
    want: [],
  },
  {
    name: "a pod below the partition comes back as what it was",
    set: setOf(3, rolling({ partition: 2 })),
    pods: [podOf(0, old), podOf(2)],
    want: ["create db-1@old"],
  },
  {
    name: "maxUnavailable lets several be updated at once",
    set: setOf(4, rolling({ maxUnavailable: 2 })),
    pods: [podOf(0, old), podOf(1, old), podOf(2, old), podOf(3, old)],
    want: ["delete db-3", "delete db-2"],
  },
  {
    name: "those that are missing already count",
    set: setOf(4, { ...parallel, ...rolling({ maxUnavailable: "50%" }) }),
    pods: [podOf(0, old), podOf(1, { ...old, ready: false }), podOf(2, old), podOf(3, old)],
    want: ["delete db-3"],
  },
  {
    name: "OnDelete updates nothing by itself",
    set: setOf(2, { updateStrategy: { type: "OnDelete" } }),
    pods: [podOf(0, old), podOf(1, old)],
    want: [],
  },
  { name: "claims are made before their pod", set: setOf(1, withData), pods: [], want: ["create db-0@new +data-db-0"] },
  {
    name: "a claim that is there is used again",
    set: setOf(1, withData),
    pods: [],
    claims: [claimOf("data-db-0")],
    want: ["create db-0@new"],
  },
  {
    name: "a pending pod whose claim is missing gets it",
    set: setOf(1, withData),
    pods: [podOf(0, { phase: "Pending", ready: false })],
    want: ["claims db-0 +data-db-0"],
  },
  {
    name: "claims that go with the set are owned by it",
    set: setOf(1, {
      ...withData,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
    }),
    pods: [podOf(0)],
    claims: [claimOf("data-db-0")],
    want: ["owners data-db-0: StatefulSet"],
  },
  {
    name: "claims that go when scaled are owned by the pod that goes",
    set: setOf(0, {
      ...withData,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Delete" },
    }),
    pods: [podOf(0)],
    claims: [claimOf("data-db-0")],
    want: ["owners data-db-0: Pod", "delete db-0"],
  },
  {
    name: "a pod is not made again while the claim of its former self is going",
    set: setOf(1, {
      ...withData,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Delete" },
    }),
    pods: [],
    claims: [claimOf("data-db-0", [{ kind: "Pod", name: "db-0", uid: "former" }])],
    want: [],
  },
  {
    name: "a policy that went back to Retain lets claims go free",
    set: setOf(1, withData),
    pods: [podOf(0)],
    claims: [claimOf("data-db-0", [{ kind: "StatefulSet", name: "db", uid }])],
    want: ["owners data-db-0: "],
  },
];

for (const { name, set, pods, claims, want } of cases) {
  test(name, () => assert.deepEqual(plan(set, pods, claims).actions.map(said), want));
}

test("a pod has its name as host name, its service as domain, and its claims as volumes", () => {
  const [action] = plan(setOf(1, withData), []).actions;
  assert.ok(action?.kind === "create");
  const { hostname, subdomain, volumes } = action.pod.spec;
  assert.deepEqual([hostname, subdomain], ["db-0", "db"]);
  assert.deepEqual(volumes, [{ name: "data", persistentVolumeClaim: { claimName: "data-db-0" } }]);
  assert.equal(action.pod.metadata.labels?.["apps.kubernetes.io/pod-index"], "0");
});

test("a rolling update is complete when all are new and ready: the current revision becomes the new one", () => {
  const { status } = plan(setOf(2), [podOf(0), podOf(1)]);
  assert.deepEqual(status, {
    observedGeneration: 2,
    replicas: 2,
    readyReplicas: 2,
    currentReplicas: 2,
    updatedReplicas: 2,
    currentRevision: "new",
    updateRevision: "new",
    collisionCount: 0,
    availableReplicas: 2,
  });
});

test("until then both revisions are told", () => {
  const { status } = plan(setOf(2), [podOf(0, old), podOf(1)]);
  assert.deepEqual([status.currentRevision, status.currentReplicas, status.updatedReplicas], ["old", 1, 1]);
});
