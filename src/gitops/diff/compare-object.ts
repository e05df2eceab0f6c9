/** One object: what applying the target would make of the live object, and whether that is a change. */
import type { AnyObject, ResourceIgnoreDifferences } from "#api";
import { deepEqual, isObject } from "#lib";
import { mergeSchemaOf } from "#render";
import { annotationOf } from "../object-key.ts";
import { ignoredPointers, removePointers } from "./ignore-differences.ts";
import { comparable, lastAppliedAnnotation } from "./normalise.ts";
import { threeWayMerge } from "./three-way.ts";

export interface ObjectDifference {
  readonly modified: boolean;
  /** Both in the form that was compared. */
  readonly live: AnyObject;
  readonly predicted: AnyObject;
}

/** Compares without asking the server; a difference may still be one of defaults that only the server knows. */
export function compareObject(
  target: AnyObject,
  live: AnyObject,
  rules: readonly ResourceIgnoreDifferences[],
): ObjectDifference {
  return difference(live, predict(target, live), rules);
}

/** Whether two states of one object differ in anything that counts. */
export function difference(
  live: AnyObject,
  predicted: AnyObject,
  rules: readonly ResourceIgnoreDifferences[],
): ObjectDifference {
  const before = comparable(live);
  const after = comparable(predicted);
  const pointers = ignoredPointers(live, rules);
  removePointers(before, pointers);
  removePointers(after, pointers);
  return { modified: !deepEqual(before, after), live: before, predicted: after };
}

/** The live object with the target applied. */
export function predict(target: AnyObject, live: AnyObject): AnyObject {
  const schema = mergeSchemaOf(target.apiVersion, target.kind);
  const merged = threeWayMerge(lastApplied(live), target, live, schema) as AnyObject;
  return merged;
}

/** What was applied last, by us, kubectl or Argo CD: all record it in the same annotation. */
function lastApplied(live: AnyObject): unknown {
  const text = annotationOf(live, lastAppliedAnnotation);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Larger records do not fit beside an object's other annotations (256 KiB in all): then removed fields are not noticed. */
const longestRecord = 200_000;

/** The target with the record of itself, as it is sent. */
export function withLastApplied(target: AnyObject): AnyObject {
  const { [lastAppliedAnnotation]: _old, ...annotations } = target.metadata.annotations ?? {};
  const plain: AnyObject = { ...target, metadata: { ...target.metadata, annotations } };
  const record = `${JSON.stringify(plain)}\n`;
  if (record.length > longestRecord) return plain;
  return {
    ...plain,
    metadata: { ...plain.metadata, annotations: { ...annotations, [lastAppliedAnnotation]: record } },
  };
}
