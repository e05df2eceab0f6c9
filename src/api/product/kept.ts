/** What jobs have kept: artifacts of runs, and caches of repositories, as people see them. */

export interface ArtifactSummary {
  readonly id: number;
  readonly name: string;
  readonly runId: string;
  readonly sizeInBytes: number;
  /** `sha256:<hex>` of the archive. */
  readonly digest: string | null;
  readonly mimeType: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly expiresAt: string;
}

export interface CacheSummary {
  readonly id: number;
  readonly key: string;
  /** Of what is cached and how: entries of different versions never meet. */
  readonly version: string;
  /** The branch that made it, as a full ref. */
  readonly ref: string;
  readonly sizeInBytes: number;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly lastAccessedAt: string;
}
