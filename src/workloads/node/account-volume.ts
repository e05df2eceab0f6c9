/**
 * The volume by which a pod speaks for its service account: token, authority and namespace. Upstream's admission writes
 * it into the pod; here the node adds it as it runs the pod, so that the stored pod stays as it was sent. Pure.
 */
import type { Container, Pod, ServiceAccount, Volume } from "#api";

export const accountMountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
/** Not a name that a pod may have. */
export const accountVolume = "kube-api-access";
/** Upstream's life of a token that a client reads from its file: it is read again before it ends. */
const tokenSeconds = 3607;

/** The pod as it runs: with the account's volume, unless pod or account refuse it. */
export function withAccountVolume(pod: Pod, account: ServiceAccount | undefined): Pod {
  const wanted = pod.spec.automountServiceAccountToken ?? account?.automountServiceAccountToken ?? true;
  if (!wanted || account === undefined) return pod;
  const mounted = (containers: readonly Container[]): Container[] => containers.map(withMount);
  const { containers, initContainers, volumes = [] } = pod.spec;
  if ([...containers, ...(initContainers ?? [])].every(hasMount)) return pod;
  const spec = {
    ...pod.spec,
    volumes: [...volumes, volume],
    containers: mounted(containers),
    ...(initContainers === undefined ? {} : { initContainers: mounted(initContainers) }),
  };
  return { ...pod, spec };
}

const volume: Volume = {
  name: accountVolume,
  projected: {
    defaultMode: 0o644,
    sources: [
      { serviceAccountToken: { expirationSeconds: tokenSeconds, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }], optional: true } },
      { downwardAPI: { items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }] } },
    ],
  },
};

/** A mount of the pod's own at that path counts more. */
function withMount(container: Container): Container {
  if (hasMount(container)) return container;
  const mount = { name: accountVolume, mountPath: accountMountPath, readOnly: true };
  return { ...container, volumeMounts: [...(container.volumeMounts ?? []), mount] };
}

function hasMount(container: Container): boolean {
  return (container.volumeMounts ?? []).some(({ mountPath }) => mountPath === accountMountPath);
}
