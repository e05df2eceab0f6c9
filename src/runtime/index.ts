/** How a pod runs: the `PodRuntime` port and its implementation with processes of this host. */
export { openDockerRuntime, type DockerRuntimeOptions } from "./docker/open-docker-runtime.ts";
export { RuntimeError } from "./errors.ts";
export type { GatewayPort, ImageConfig, ImageLayer, ImageSourcePort, ResolvedImage } from "./ports.ts";
export {
  containerIdOf,
  type ContainerEvent,
  type ContainerLimits,
  type ContainerMount,
  type ContainerRecord,
  type ContainerRunState,
  type ContainerSecurity,
  type ContainerSession,
  type ContainerSpec,
  type ContainerUsage,
  type ExecResult,
  type LogOptions,
  type PodIdentity,
  type PodNetwork,
  type PodRuntime,
  type PodSandbox,
  type PulledImage,
  type RegistryLogin,
  type SessionOptions,
  type TerminalSize,
  type VolumeContent,
} from "./pod-runtime.ts";
export { openProcessRuntime, type ProcessRuntimeOptions } from "./process/open-process-runtime.ts";
export { SeveralRuntimes } from "./several/several-runtimes.ts";
export { detectIsolation } from "./isolation/detect.ts";
