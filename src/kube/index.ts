/** Kubernetes API: the port controllers know (`Cluster`), its embedded implementation and its HTTP face. */
export type {
  Cluster,
  ClusterCapabilities,
  DeleteOptions,
  JsonPatchOperation,
  ListOptions,
  ObjectList,
  Patch,
  PatchOptions,
  PropagationPolicy,
  RequestOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "./client/cluster.ts";
export { isKubeError, KubeError, type KubeReason, type StatusCause, type StatusDetails } from "./client/kube-error.ts";
export { openEmbeddedCluster, type EmbeddedCluster, type EmbeddedClusterOptions } from "./client/embedded-cluster.ts";
export { connectRemoteCluster, type RemoteCluster, type RemoteClusterOptions } from "./client/remote/remote-cluster.ts";
export { KubeconfigError, readKubeconfig, type KubeconfigOptions } from "./client/remote/kubeconfig.ts";
export { kubeRoutes, type KubeRoutesOptions } from "./server/http/kube-routes.ts";
export type { AccountTokenRequest, AccountTokens, IssuedToken } from "./server/service-accounts/account-tokens.ts";
export type { PodLogOptions, PodLogPort, UsagePort, PodSession, PodStreamPort, SessionRequest } from "./ports.ts";
