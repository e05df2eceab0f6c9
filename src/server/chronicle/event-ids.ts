/**
 * Names of timeline events. Each is derived from what happened, so that recording twice is recording once, and an
 * effect can name its cause before the cause is recorded.
 */
/** A commit arrived in a repository. One event a commit: pushing it again, to another branch too, is no new delivery. */
export function pushId(repository: string, sha: string): string {
  return `push:${repository}@${sha}`;
}

export function runId(run: string): string {
  return `run:${run}`;
}

export function runCompletedId(run: string, attempt: number): string {
  return `run:${run}:completed:${attempt}`;
}

export function reviewId(run: string, review: string): string {
  return `run:${run}:review:${review}`;
}

/** `image` is `owner/repo` of our registry or `host/repository` of another. */
export function imageId(image: string, digest: string): string {
  return `image:${image}@${digest}`;
}

export function syncId(namespace: string, name: string, revision: string): string {
  return `sync:${namespace}/${name}@${revision}`;
}

/** One revision of a rollout: the pod template and the number it has, since a rollback gives an old template a new one. */
export function releaseId(rolloutUid: string, revision: string, podHash: string): string {
  return `release:${rolloutUid}:${revision}:${podHash}`;
}

export function analysisId(namespace: string, name: string): string {
  return `analysis:${namespace}/${name}`;
}
