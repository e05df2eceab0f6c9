/** What the jobs of workflows keep: caches and artifacts, with the addresses their content goes through. */
import { join } from "node:path";
import type { Clock, Database, Ids } from "#lib";
import type { JobsPort } from "./ports.ts";
import { Reports } from "./reports/reports.ts";
import { RuntimeTokens } from "./runtime-tokens.ts";
import { SignedUrls } from "./signed-urls.ts";
import { Artifacts } from "./store/artifacts.ts";
import { Blobs } from "./store/blobs.ts";
import { Caches } from "./store/caches.ts";
import type { CacheLimits } from "./store/plan-eviction.ts";
import { openSchema } from "./store/schema.ts";

export interface ArtifactServiceOptions {
  readonly database: Database;
  readonly folder: string;
  /** At least 32 random bytes, the same after a restart. */
  readonly key: Uint8Array;
  readonly jobs: JobsPort;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits?: Partial<ArtifactLimits>;
}

export interface ArtifactLimits extends CacheLimits {
  /** Of one cache entry or artifact. */
  readonly blobBytes: number;
  readonly artifactRetentionMs: number;
}

const gibibyte = 1024 ** 3;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** GitHub's own where it has one. */
const defaultLimits: ArtifactLimits = {
  blobBytes: 10 * gibibyte,
  repositoryBytes: 10 * gibibyte,
  unusedMs: 7 * dayMs,
  reservedMs: 6 * hourMs,
  artifactRetentionMs: 90 * dayMs,
};

export interface ArtifactService {
  readonly caches: Caches;
  readonly artifacts: Artifacts;
  readonly reports: Reports;
  readonly blobs: Blobs;
  readonly tokens: RuntimeTokens;
  readonly urls: SignedUrls;
  readonly jobs: JobsPort;
  /** Throws away what is over its time or its limit, and content that nothing names. To be called now and then. */
  sweep(): Promise<void>;
}

export async function openArtifactService(options: ArtifactServiceOptions): Promise<ArtifactService> {
  const { database, folder, key, jobs, clock, ids } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const db = await openSchema(database);
  const blobs = new Blobs(join(folder, "blobs"), limits.blobBytes, ids);
  await blobs.prepare();
  const caches = new Caches({ db, blobs, jobs, clock, ids, limits });
  const artifacts = new Artifacts({ db, blobs, clock, ids, retentionMs: limits.artifactRetentionMs });
  const reports = new Reports({ db, clock, retentionMs: limits.artifactRetentionMs });
  return {
    caches,
    artifacts,
    reports,
    blobs,
    tokens: new RuntimeTokens(key, clock),
    urls: new SignedUrls(key, clock),
    jobs,
    async sweep() {
      await caches.evict();
      await artifacts.expire(limits.reservedMs);
      await reports.expire();
      const known = new Set([...(await caches.blobs()), ...(await artifacts.blobs())]);
      await blobs.sweep(known, clock.now().epochMilliseconds - hourMs);
    },
  };
}
