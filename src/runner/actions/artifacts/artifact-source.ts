/** Where artifacts are downloaded from: the job's own run, or another one. */
export interface ArtifactFacts {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  /** `sha256:<hex>` */
  readonly digest: string | undefined;
}

interface ArtifactLocation {
  readonly url: string;
}

export interface ArtifactSource {
  /** The newest of each name, newest first. */
  list(): Promise<readonly ArtifactFacts[]>;
  /** The newest of the name. */
  find(name: string): Promise<ArtifactFacts | undefined>;
  locate(artifact: ArtifactFacts): Promise<ArtifactLocation>;
}

/** Re-runs may have made several of one name. */
export function newestOfEach(artifacts: readonly ArtifactFacts[]): readonly ArtifactFacts[] {
  const newest = new Map<string, ArtifactFacts>();
  for (const artifact of artifacts.toSorted((a, b) => b.id - a.id)) {
    if (!newest.has(artifact.name)) newest.set(artifact.name, artifact);
  }
  return [...newest.values()];
}
