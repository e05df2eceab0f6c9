/** Revisions, template hashes and the annotations that `kubectl rollout` reads: pure. */
import type { Deployment, PodTemplateSpec, ReplicaSet } from "#api";
import { canonicalJson, deepEqual, fnv1a32, safeEncode } from "#lib";

export const hashLabel = "pod-template-hash";
export const revisionAnnotation = "deployment.kubernetes.io/revision";
const historyAnnotation = "deployment.kubernetes.io/revision-history";
const desiredAnnotation = "deployment.kubernetes.io/desired-replicas";
const maxAnnotation = "deployment.kubernetes.io/max-replicas";

/** A Deployment's annotations that mean something about the Deployment itself. */
const uncopied: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
  "deprecated.deployment.rollback.to",
]);

/** The template as its author wrote it, whatever hash it was labelled with. */
export function unlabelled(template: PodTemplateSpec): PodTemplateSpec {
  const { [hashLabel]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** Names the template among the Deployment's ReplicaSets; `collisionCount` gives another name when it is taken. */
export function templateHash(template: PodTemplateSpec, collisionCount: number | undefined): string {
  const text = canonicalJson(unlabelled(template)) + (collisionCount === undefined ? "" : `\n${collisionCount}`);
  return safeEncode(String(fnv1a32(text)));
}

export function revisionOf(object: ReplicaSet | Deployment): number {
  return Number(object.metadata.annotations?.[revisionAnnotation] ?? 0) || 0;
}

/** The ReplicaSet of the present template; the oldest where there are several. */
export function findNew(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const wanted = unlabelled(deployment.spec.template);
  return byAge(sets).find((set) => deepEqual(unlabelled(set.spec.template), wanted));
}

export function byAge(sets: readonly ReplicaSet[]): ReplicaSet[] {
  return sets.toSorted(
    (a, b) =>
      compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp) || compare(a.metadata.name, b.metadata.name),
  );
}

function compare(a = "", b = ""): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Annotations of the new ReplicaSet: the Deployment's (change-cause among them), its revision, and former revisions. */
export function newSetAnnotations(
  deployment: Deployment,
  set: ReplicaSet | undefined,
  others: readonly ReplicaSet[],
): Record<string, string> {
  const annotations = { ...set?.metadata.annotations };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!uncopied.has(key)) annotations[key] = value;
  }
  const revision = Math.max(0, ...others.map(revisionOf)) + 1;
  const old = set === undefined ? 0 : revisionOf(set);
  if (revision <= old) return annotations;
  // A template that came back (`kubectl rollout undo`) takes the newest number and remembers the ones it had.
  if (old > 0) annotations[historyAnnotation] = [annotations[historyAnnotation] ?? [], old].flat().join(",");
  annotations[revisionAnnotation] = String(revision);
  return annotations;
}

/** What a proportional scale later needs to know: for how many replicas this ReplicaSet was last sized. */
export function sizeAnnotations(replicas: number, maxSurge: number): Record<string, string> {
  return { [desiredAnnotation]: String(replicas), [maxAnnotation]: String(replicas + maxSurge) };
}

export function desiredOf(set: ReplicaSet): number | undefined {
  return numberOf(set.metadata.annotations?.[desiredAnnotation]);
}

export function maxOf(set: ReplicaSet): number | undefined {
  return numberOf(set.metadata.annotations?.[maxAnnotation]);
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}
