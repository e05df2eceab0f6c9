import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, Volume } from "#api";
import { accountMountPath, accountVolume, withAccountVolume } from "./account-volume.ts";
import { podVolumes, type VolumeSources } from "./pod-volumes.ts";

function podOf(...volumes: Volume[]): Pod {
  const metadata = {
    name: "web",
    namespace: "shop",
    uid: "u",
    labels: { b: "2", a: "1" },
    annotations: { k: 'say "x"' },
  };
  const resources = { limits: { cpu: "250m" }, requests: { memory: "3Mi" } };
  const containers = [{ name: "app", image: "i", resources }];
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers, volumes } };
}

const sources: VolumeSources = {
  place: { podIp: "127.0.0.1", hostIp: "127.0.0.1", allocatable: { cpu: "2", memory: "4Gi" } },
  configMap: (name) =>
    name === "settings"
      ? { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { a: "1", b: "2" }, binaryData: { c: "Mw==" } }
      : undefined,
  secret: (name) =>
    name === "keys" ? { apiVersion: "v1", kind: "Secret", metadata: { name }, data: { token: "aHVzaA==" } } : undefined,
  token: (audience, seconds) => (audience === "none" ? undefined : `token for ${audience || "api"} ${seconds}`),
  claim: (name) =>
    name === "data"
      ? { kind: "bound", path: "/volumes/data" }
      : { kind: "missing", message: `persistentvolumeclaim "${name}" not found` },
  refusesHostPath: (path) => (path === "/etc" ? "not that" : undefined),
};

/** `path=content mode` a file, or what is missing. */
function said(volume: Volume): string[] {
  const [result] = podVolumes(podOf(volume), sources);
  if (result?.kind !== "complete") return [result?.message ?? ""];
  const { files, modes, mode = 0, hostPath } = result.value;
  if (files === undefined) return hostPath === undefined ? [] : [hostPath];
  return [...files].map(
    ([path, bytes]) => `${path}=${Buffer.from(bytes).toString("utf8")} ${(modes?.get(path) ?? mode).toString(8)}`,
  );
}

const cases: { name: string; volume: Omit<Volume, "name">; want: string[] }[] = [
  { name: "an emptyDir has no files", volume: { emptyDir: { sizeLimit: "1Gi" } }, want: [] },
  {
    name: "a ConfigMap's keys are files",
    volume: { configMap: { name: "settings" } },
    want: ["a=1 644", "b=2 644", "c=3 644"],
  },
  {
    name: "items choose keys, paths and modes",
    volume: { configMap: { name: "settings", defaultMode: 0o600, items: [{ key: "b", path: "x/y", mode: 0o400 }] } },
    want: ["x/y=2 400"],
  },
  {
    name: "an item that is not there is waited for",
    volume: { configMap: { name: "settings", items: [{ key: "z", path: "z" }] } },
    want: ["references non-existent config key: z"],
  },
  {
    name: "a ConfigMap that is not there too",
    volume: { configMap: { name: "none" } },
    want: ['configmap "none" not found'],
  },
  { name: "unless it is optional", volume: { configMap: { name: "none", optional: true } }, want: [] },
  {
    name: "a Secret's values are decoded",
    volume: { secret: { secretName: "keys", defaultMode: 0o400 } },
    want: ["token=hush 400"],
  },
  {
    name: "the downward API tells of the pod and its containers",
    volume: {
      downwardAPI: {
        items: [
          { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
          { path: "annotations", fieldRef: { fieldPath: "metadata.annotations" } },
          { path: "cpu", resourceFieldRef: { containerName: "app", resource: "limits.cpu", divisor: "1m" } },
          { path: "cores", resourceFieldRef: { containerName: "app", resource: "limits.cpu" } },
          { path: "memory", resourceFieldRef: { containerName: "app", resource: "limits.memory", divisor: "1Gi" } },
        ],
      },
    },
    want: ['labels=a="1"\nb="2" 644', 'annotations=k="say \\"x\\"" 644', "cpu=250 644", "cores=1 644", "memory=4 644"],
  },
  {
    name: "a projected volume has the files of all its sources",
    volume: {
      projected: {
        sources: [
          { serviceAccountToken: { path: "token", audience: "vault", expirationSeconds: 600 } },
          { configMap: { name: "settings", items: [{ key: "a", path: "a" }] } },
          { secret: { name: "keys" } },
        ],
      },
    },
    want: ["token=hush 644", "a=1 644"],
  },
  {
    name: "a token that cannot be had is waited for",
    volume: { projected: { sources: [{ serviceAccountToken: { path: "t", audience: "none" } }] } },
    want: ["failed to fetch token: no token could be had of the API server yet"],
  },
  {
    name: "a claim is the folder of its volume",
    volume: { persistentVolumeClaim: { claimName: "data" } },
    want: ["/volumes/data"],
  },
  {
    name: "a claim that is not there is waited for",
    volume: { persistentVolumeClaim: { claimName: "none" } },
    want: ['persistentvolumeclaim "none" not found'],
  },
  { name: "a folder of the machine is itself", volume: { hostPath: { path: "/srv" } }, want: ["/srv"] },
  { name: "unless pods may not have it", volume: { hostPath: { path: "/etc" } }, want: ["not that"] },
];

for (const { name, volume, want } of cases) test(name, () => assert.deepEqual(said({ name: "v", ...volume }), want));

test("a source that no machine of ours has is refused with what there is", () => {
  const [message] = said({ name: "v", nfs: { server: "s", path: "/" } });
  assert.match(message ?? "", /^source "nfs" is not available here: use configMap, /);
});

const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };

test("a pod gets its account's volume in every container that mounts nothing there", () => {
  const pod = podOf();
  pod.spec.containers.push({ name: "own", image: "i", volumeMounts: [{ name: "x", mountPath: accountMountPath }] });
  const { spec } = withAccountVolume(pod, account);
  assert.deepEqual(
    spec.containers.map(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name)),
    [[accountVolume], ["x"]],
  );
  assert.equal(spec.volumes?.at(-1)?.name, accountVolume);
});

test("unless the account, or the pod over it, says no", () => {
  const silent = { ...account, automountServiceAccountToken: false };
  const pod = podOf();
  assert.equal(withAccountVolume(pod, silent), pod);
  assert.equal(withAccountVolume(pod, undefined), pod);
  const asking = { ...pod, spec: { ...pod.spec, automountServiceAccountToken: true } };
  assert.notEqual(withAccountVolume(asking, silent), asking);
});
