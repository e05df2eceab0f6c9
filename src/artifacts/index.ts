/** Caches and artifacts of workflow jobs, by the protocols that the official actions speak. Knows no runs and no git. */
export { ArtifactsError, type ArtifactsErrorCode } from "./errors.ts";
export { blobRoutes } from "./http/blob-routes.ts";
export { cacheV1Routes } from "./http/cache-v1-routes.ts";
export { reportRoutes } from "./http/report-routes.ts";
export { twirpRoutes, type TwirpRoutesOptions } from "./http/twirp-routes.ts";
export { cacheScopes, type CacheScope, type JobGrant } from "./job-grant.ts";
export type { JobsPort } from "./ports.ts";
export { openArtifactService, type ArtifactLimits, type ArtifactService } from "./service.ts";
export type { ArtifactView } from "./store/artifacts.ts";
export type { CacheEntryView } from "./store/caches.ts";
