import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolume, PersistentVolumeClaim } from "#api";
import { claimFolder } from "./claim-folder.ts";

function claimOf(phase: "Pending" | "Bound", volumeName = "v"): PersistentVolumeClaim {
  const metadata = { name: "data", namespace: "default", uid: "c1" };
  return { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata, spec: { volumeName }, status: { phase } };
}

function volumeOf(spec: PersistentVolume["spec"]): PersistentVolume {
  const claimRef = { namespace: "default", name: "data", uid: "c1" };
  return { apiVersion: "v1", kind: "PersistentVolume", metadata: { name: "v" }, spec: { claimRef, ...spec } };
}

const cases: { name: string; claim?: PersistentVolumeClaim; volume?: PersistentVolume; want: RegExp }[] = [
  {
    name: "a bound claim is at its volume's folder",
    claim: claimOf("Bound"),
    volume: volumeOf({ hostPath: { path: "/d" } }),
    want: /^\/d$/,
  },
  { name: "local volumes too", claim: claimOf("Bound"), volume: volumeOf({ local: { path: "/l" } }), want: /^\/l$/ },
  { name: "a claim that is not there is told", want: /^persistentvolumeclaim "data" not found$/ },
  {
    name: "one that is not bound yet waits",
    claim: claimOf("Pending"),
    volume: volumeOf({ hostPath: { path: "/d" } }),
    want: /unbound immediate/,
  },
  {
    name: "a volume that is another claim's is not to be had by naming it",
    claim: claimOf("Bound"),
    volume: volumeOf({ hostPath: { path: "/d" }, claimRef: { namespace: "other", name: "data", uid: "c2" } }),
    want: /unbound immediate/,
  },
  {
    name: "a source of other machines is told by its name",
    claim: claimOf("Bound"),
    volume: volumeOf({ nfs: { server: "n" } }),
    want: /has source "nfs"/,
  },
];

for (const { name, claim, volume, want } of cases) {
  test(name, () => {
    const found = claimFolder({ claim: () => claim, volume: () => volume }, "default", "data");
    assert.match(found.kind === "bound" ? found.path : found.message, want);
  });
}
