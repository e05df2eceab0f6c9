import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "#api";
import { type ClaimAction, planClaim } from "./plan-claim.ts";
import { planVolume, type VolumeAction } from "./plan-volume.ts";
import {
  bindCompleted,
  claimProtection,
  firstClasses,
  localProvisioner,
  provisionedBy,
  volumeProtection,
} from "./storage-facts.ts";

type Spec = Partial<PersistentVolumeClaim["spec"]>;

function claimOf(
  spec: Spec = {},
  more: { ending?: boolean; bound?: boolean; phase?: "Pending" | "Bound" | "Lost" } = {},
): PersistentVolumeClaim {
  const { ending = false, bound = false, phase = "Pending" } = more;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name: "data",
      namespace: "default",
      uid: "c1",
      finalizers: [claimProtection],
      ...(bound ? { annotations: { [bindCompleted]: "yes" } } : {}),
      ...(ending ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
    status: { phase },
  };
}

function volumeOf(
  name: string,
  storage: string,
  more: Partial<PersistentVolume["spec"]> = {},
  own = false,
): PersistentVolume {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: {
      name,
      finalizers: [volumeProtection],
      ...(own ? { annotations: { [provisionedBy]: localProvisioner } } : {}),
    },
    spec: { capacity: { storage }, accessModes: ["ReadWriteOnce"], hostPath: { path: `/v/${name}` }, ...more },
  };
}

const claimRef = { namespace: "default", name: "data", uid: "c1" };
const waiting: StorageClass = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "late" },
  provisioner: localProvisioner,
  volumeBindingMode: "WaitForFirstConsumer",
};
const foreign: StorageClass = {
  ...waiting,
  metadata: { name: "cloud" },
  provisioner: "ebs.csi.aws.com",
  volumeBindingMode: "Immediate",
};

function podUsing(claimName: string, phase: "Running" | "Succeeded" = "Running"): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "default" },
    spec: { containers: [], volumes: [{ name: "v", persistentVolumeClaim: { claimName } }] },
    status: { phase },
  };
}

function said(action: ClaimAction): string {
  switch (action.kind) {
    case "finalizers":
      return `finalizers ${action.finalizers.join()}`;
    case "class":
      return `class ${action.storageClassName}`;
    case "provision":
      return `provision ${action.volume.metadata.name} ${action.volume.spec.capacity?.["storage"]} ${action.volume.spec.persistentVolumeReclaimPolicy} at ${action.volume.spec.hostPath?.path}`;
    case "bind":
      return `bind ${action.volume.metadata.name}`;
    case "grow":
      return `grow ${action.volume.metadata.name} to ${action.storage}`;
    case "status":
      return `status ${action.status.phase} ${action.status.capacity?.["storage"] ?? "-"}`;
    case "tell":
      return `tell ${action.text.reason}`;
  }
}

const cases: {
  name: string;
  claim: PersistentVolumeClaim;
  volumes?: PersistentVolume[];
  classes?: readonly StorageClass[];
  pods?: Pod[];
  want: string[];
}[] = [
  { name: "a claim without a class gets the default one", claim: claimOf(), want: ["class standard"] },
  {
    name: "a claim of our class gets a volume of its own, named by its uid",
    claim: claimOf({ storageClassName: "standard" }),
    want: ["provision pvc-c1 1Gi Delete at /volumes/pvc-c1"],
  },
  {
    name: "a volume that names the claim is bound to it, also after a crash between the two writes",
    claim: claimOf({ storageClassName: "standard" }),
    volumes: [volumeOf("pvc-c1", "1Gi", { claimRef, storageClassName: "standard" }, true)],
    want: ["bind pvc-c1"],
  },
  {
    name: "an existing volume is preferred, the smallest that is large enough",
    claim: claimOf({ storageClassName: "" }),
    volumes: [volumeOf("large", "10Gi"), volumeOf("small", "500Mi"), volumeOf("right", "2Gi")],
    want: ["bind right"],
  },
  {
    name: "a volume without the access mode, or of another class, does not do",
    claim: claimOf({ storageClassName: "", accessModes: ["ReadWriteMany"] }),
    volumes: [volumeOf("a", "2Gi"), volumeOf("b", "2Gi", { accessModes: ["ReadWriteMany"], storageClassName: "x" })],
    want: ["tell FailedBinding"],
  },
  {
    name: "a class that waits for its first consumer waits",
    claim: claimOf({ storageClassName: "late" }),
    classes: [waiting],
    want: ["tell WaitForFirstConsumer"],
  },
  {
    name: "and provisions when a pod uses the claim",
    claim: claimOf({ storageClassName: "late" }),
    classes: [waiting],
    pods: [podUsing("data")],
    want: ["provision pvc-c1 1Gi Delete at /volumes/pvc-c1"],
  },
  { name: "an unknown class is told", claim: claimOf({ storageClassName: "x" }), want: ["tell ProvisioningFailed"] },
  {
    name: "another provisioner is waited for",
    claim: claimOf({ storageClassName: "cloud" }),
    classes: [foreign],
    want: ["tell ExternalProvisioning"],
  },
  {
    name: "a bound claim says what it has",
    claim: claimOf({ storageClassName: "standard", volumeName: "pvc-c1" }, { bound: true }),
    volumes: [volumeOf("pvc-c1", "1Gi", { claimRef, storageClassName: "standard" }, true)],
    want: ["status Bound 1Gi"],
  },
  {
    name: "a bound claim may grow where its class allows it",
    claim: claimOf(
      { storageClassName: "standard", volumeName: "pvc-c1", resources: { requests: { storage: "2Gi" } } },
      { bound: true },
    ),
    volumes: [volumeOf("pvc-c1", "1Gi", { claimRef, storageClassName: "standard" }, true)],
    want: ["grow pvc-c1 to 2Gi", "status Bound 1Gi"],
  },
  {
    name: "a bound claim whose volume is gone is lost",
    claim: claimOf({ volumeName: "gone" }, { bound: true, phase: "Bound" }),
    want: ["status Lost -", "tell ClaimLost"],
  },
  {
    name: "a claim that names a volume of its own choice waits for it",
    claim: claimOf({ storageClassName: "", volumeName: "later" }),
    want: [],
  },
  {
    name: "a volume that is another claim's is not taken from it",
    claim: claimOf({ storageClassName: "", volumeName: "a" }),
    volumes: [volumeOf("a", "1Gi", { claimRef: { ...claimRef, name: "other", uid: "c2" } })],
    want: [],
  },
  {
    name: "a claim that a pod uses is not let go",
    claim: claimOf({}, { ending: true }),
    pods: [podUsing("data")],
    want: [],
  },
  {
    name: "a claim whose pods have ended is",
    claim: claimOf({}, { ending: true }),
    pods: [podUsing("data", "Succeeded"), podUsing("other")],
    want: ["finalizers "],
  },
];

for (const { name, claim, volumes = [], classes = firstClasses, pods = [], want } of cases) {
  test(name, () => {
    const actions = planClaim({ claim, volumes, classes, pods, folder: (volume) => `/volumes/${volume}` });
    assert.deepEqual(actions.map(said), want);
  });
}

function saidOfVolume(action: VolumeAction): string {
  if (action.kind === "phase") return action.phase;
  if (action.kind === "tell") return `tell ${action.text.reason}`;
  return action.kind;
}

const bound = volumeOf("pvc-c1", "1Gi", { claimRef, persistentVolumeReclaimPolicy: "Delete" }, true);
const volumeCases: { name: string; volume: PersistentVolume; claim?: PersistentVolumeClaim; want: string[] }[] = [
  { name: "a volume that names nobody is available", volume: volumeOf("v", "1Gi"), want: ["Available"] },
  { name: "a volume whose claim is there is bound", volume: bound, claim: claimOf(), want: ["Bound"] },
  { name: "a volume of ours goes with its claim", volume: bound, want: ["Released", "delete"] },
  {
    name: "a volume to retain stays with its files",
    volume: { ...bound, spec: { ...bound.spec, persistentVolumeReclaimPolicy: "Retain" } },
    want: ["Released"],
  },
  {
    name: "a new claim of the same name does not get the old one's volume",
    volume: { ...bound, spec: { ...bound.spec, claimRef: { ...claimRef, uid: "older" } } },
    claim: claimOf(),
    want: ["Released", "delete"],
  },
  {
    name: "files we did not make are not deleted",
    volume: volumeOf("v", "1Gi", { claimRef, persistentVolumeReclaimPolicy: "Delete" }),
    want: ["Released", "Failed", "tell VolumeFailedDelete"],
  },
  {
    name: "a volume reserved by name waits for its claim",
    volume: volumeOf("v", "1Gi", { claimRef: { namespace: "default", name: "data" } }),
    want: ["Available"],
  },
  {
    name: "a deleted volume stays while its claim does",
    volume: {
      ...bound,
      metadata: { ...bound.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
      status: { phase: "Bound" },
    },
    claim: claimOf(),
    want: [],
  },
  {
    name: "and goes with it",
    volume: { ...bound, metadata: { ...bound.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } },
    want: ["finalizers"],
  },
];

for (const { name, volume, claim, want } of volumeCases) {
  test(name, () => assert.deepEqual(planVolume({ volume, claim }).map(saidOfVolume), want));
}
