/** Builds images from Dockerfiles, natively or with the container engine that is there, and talks to registries. */
export { ImageError, type ImageErrorCode } from "./errors.ts";
export {
  formatImageReference,
  manifestReference,
  normalHost,
  parseImageReference,
  type ImageReference,
} from "./reference.ts";
export { formatPlatform, parsePlatform, platformOf, type Platform } from "./platform.ts";
export { parseDockerfile } from "./dockerfile/parse.ts";
export type { Dockerfile } from "./dockerfile/instruction.ts";
export { needsEngine } from "./native/stage-order.ts";
export { buildImage, type BuildOptions, type BuildOutcome, type BuiltImage } from "./native/build.ts";
export { trimImageCache, type TrimOptions } from "./native/trim-cache.ts";
export { createRegistryClient, type RegistryClient, type RegistryClientOptions } from "./registry/client.ts";
export type { CredentialsSource, RegistryCredentials } from "./registry/authorizer.ts";
export { pushImage } from "./registry/push-image.ts";
export { findContainerEngine, type ContainerEngine, type EngineSearch } from "./engine/detect.ts";
export { buildWithEngine, dockerConfig, type EngineBuildOptions, type EngineBuildResult } from "./engine/build.ts";
