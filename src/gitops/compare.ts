/** An Application compared: each of its objects, wanted or live, with status and health. Pure. */
import type { AnyObject, Application, HealthStatusCode, ResourceStatus, SyncStatusCode } from "#api";
import { splitApiVersion } from "#api";
import { visitContainers } from "#render";
import { compareObject, type ObjectDifference } from "./diff/compare-object.ts";
import { applicationHealth, resourceHealth } from "./health/resource-health.ts";
import type { Health } from "./health/health.ts";
import { annotationWords, keyOfObject, keyText, type ObjectKey } from "./object-key.ts";
import { hookOf, waveOf } from "./sync/hooks.ts";

export interface ComparedObject {
  readonly key: ObjectKey;
  readonly version: string;
  readonly target?: AnyObject;
  readonly live?: AnyObject;
  readonly status: SyncStatusCode;
  readonly prune: boolean;
  readonly health?: Health;
  /** With both target and live. */
  readonly difference?: ObjectDifference;
}

export interface Comparison {
  readonly sync: SyncStatusCode;
  readonly health: HealthStatusCode;
  readonly objects: readonly ComparedObject[];
}

/** @param live the object that stands where a target would, whoever it belongs to
 *  @param managed everything live that carries the Application's mark */
export function compareApplication(
  application: Application,
  targets: readonly AnyObject[],
  live: (key: ObjectKey) => AnyObject | undefined,
  managed: readonly AnyObject[],
): Comparison {
  const rules = application.spec.ignoreDifferences ?? [];
  const wanted = new Set(targets.map((target) => keyText(keyOfObject(target))));
  const compared = targets.map((target): ComparedObject => {
    const key = keyOfObject(target);
    const { version } = splitApiVersion(target.apiVersion);
    const found = live(key);
    if (found === undefined) return { key, version, target, status: "OutOfSync", prune: false };
    const difference = compareObject(target, found, rules);
    const status = difference.modified ? "OutOfSync" : "Synced";
    return { key, version, target, live: found, status, prune: false, difference, ...healthOf(found) };
  });
  const extra = managed.filter((object) => !wanted.has(keyText(keyOfObject(object))) && hookOf(object) === undefined);
  const objects = [...compared, ...extra.map(toPruned)];
  return { objects, sync: syncStatus(objects), health: overallHealth(objects) };
}

/** The comparison with some objects' verdicts replaced: after the server was asked. */
export function revised(comparison: Comparison, objects: readonly ComparedObject[]): Comparison {
  return { ...comparison, objects, sync: syncStatus(objects) };
}

function toPruned(live: AnyObject): ComparedObject {
  const { version } = splitApiVersion(live.apiVersion);
  return { key: keyOfObject(live), version, live, status: "OutOfSync", prune: true, ...healthOf(live) };
}

function healthOf(live: AnyObject): { health?: Health } {
  const found = resourceHealth(live);
  return found === undefined ? {} : { health: found };
}

function syncStatus(objects: readonly ComparedObject[]): SyncStatusCode {
  return objects.some((object) => object.status !== "Synced" && !isIgnoredExtra(object)) ? "OutOfSync" : "Synced";
}

function isIgnoredExtra({ prune, live }: ComparedObject): boolean {
  return prune && annotationWords(live, "argocd.argoproj.io/compare-options").includes("IgnoreExtraneous");
}

export function overallHealth(objects: readonly ComparedObject[]): HealthStatusCode {
  return applicationHealth(objects.map(({ live, health }) => ({ live, health, hook: false })));
}

export function resourceStatuses(objects: readonly ComparedObject[], unknown: boolean): ResourceStatus[] {
  return objects.map(({ key, version, status, prune, target, live, health }) => {
    const wave = waveOf(target ?? live ?? emptyObject);
    const state =
      live === undefined
        ? ({ status: "Missing" } as const)
        : health === undefined
          ? undefined
          : { status: health.status };
    return {
      ...(key.group === "" ? {} : { group: key.group }),
      version,
      kind: key.kind,
      ...(key.namespace === "" ? {} : { namespace: key.namespace }),
      name: key.name,
      status: unknown ? "Unknown" : status,
      ...(state === undefined ? {} : { health: state }),
      ...(prune ? { requiresPruning: true } : {}),
      ...(wave === 0 ? {} : { syncWave: wave }),
    };
  });
}

const emptyObject: AnyObject = { apiVersion: "", kind: "", metadata: { name: "" } };

/** Every image that the live objects run, sorted. */
export function imagesOf(objects: readonly ComparedObject[]): string[] {
  const images = new Set<string>();
  for (const { live } of objects) {
    visitContainers(live, ({ image }) => {
      if (typeof image === "string") images.add(image);
    });
  }
  return [...images].sort();
}
