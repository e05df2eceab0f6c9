/** An OCI registry: blobs, manifests, tags, referrers, and the record of what was pushed. */
export { openRegistry, Registry, type PushManifest, type RegistryOptions } from "./registry.ts";
export { registryRoutes, type RegistryRoutesOptions } from "./routes.ts";
export { RegistryError, type OciCode } from "./errors.ts";
export type { Garbage } from "./collect-garbage.ts";
export type { Image, Platform } from "./image.ts";
export { mediaTypes, parseManifest, type Descriptor, type Manifest } from "./manifest.ts";
export type { ManifestPush, Referrer, StoredManifest } from "./manifests.ts";
export { isDigest, isRepositoryName, isTag } from "./names.ts";
export type { TokenKey } from "./tokens.ts";
