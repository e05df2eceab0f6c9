/** Whose an object is: pure, upstream's rules of controller references. */
import { controllerOf, type KubeObject, type LabelSelector, matchesSelector } from "#api";

export interface Claims<T> {
  /** Its own, those it is about to adopt included. */
  readonly owned: readonly T[];
  readonly adopt: readonly T[];
  readonly release: readonly T[];
}

/**
 * Objects without a controller that match are adopted; own ones that match no more are let go. An owner that is being
 * deleted does neither, and an object that is being deleted is not adopted.
 *
 * @param fits a further rule that an object must meet, such as its name
 */
export function claim<T extends KubeObject>(
  owner: KubeObject,
  selector: LabelSelector | undefined,
  objects: readonly T[],
  fits: (object: T) => boolean = () => true,
): Claims<T> {
  const owned: T[] = [];
  const adopt: T[] = [];
  const release: T[] = [];
  const ending = owner.metadata.deletionTimestamp !== undefined;
  for (const object of objects) {
    const controller = controllerOf(object);
    const matches = matchesSelector(selector, object.metadata.labels) && fits(object);
    if (controller === undefined) {
      if (!matches || ending || object.metadata.deletionTimestamp !== undefined) continue;
      adopt.push(object);
      owned.push(object);
    } else if (controller.uid === owner.metadata.uid) {
      if (matches) owned.push(object);
      else if (!ending) release.push(object);
    }
  }
  return { owned, adopt, release };
}
