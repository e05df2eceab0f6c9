/** Applications: what a repository says, kept so in a cluster. */
export { createGitops, type Gitops, type GitopsOptions, type SyncRequest } from "./gitops.ts";
export type { SourcePort } from "./ports.ts";
export { GitopsError, type GitopsErrorCode } from "./errors.ts";
export { resourceHealth } from "./health/resource-health.ts";
export type { Health } from "./health/health.ts";
