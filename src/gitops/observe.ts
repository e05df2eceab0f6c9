/** Looks at repository and cluster and compares, without changing anything. */
import {
  appProjects,
  type AnyObject,
  type Application,
  type ApplicationCondition,
  type AppProject,
  type ResourceType,
} from "#api";
import type { Clock } from "#lib";
import type { Cluster } from "#kube";
import { compareApplication, overallHealth, type ComparedObject, type Comparison } from "./compare.ts";
import type { DifferenceConfirmer } from "./diff/confirm.ts";
import { resourceHealth } from "./health/resource-health.ts";
import { inventoryTypes } from "./live/inventory.ts";
import type { LiveObjects } from "./live/live-objects.ts";
import { keyOfObject } from "./object-key.ts";
import { projectRefusals } from "./project/check-project.ts";
import { specRefusals } from "./source/check-spec.ts";
import type { TargetState, TargetStates } from "./source/target-state.ts";
import { missingNamespace, targetsOf, type Targets } from "./source/targets.ts";
import { condition, type Finding } from "./status.ts";
import { syncOptionsOf, unknownOptions } from "./sync/sync-options.ts";
import { controllerNamespace, instanceName, ownerInstance } from "./tracking.ts";

export type RenderedState = Extract<TargetState, { kind: "rendered" }>;

/** What one pass found, before anything is decided. */
export interface Observed {
  readonly finding: Finding;
  readonly targets?: Targets;
  readonly rendered?: RenderedState;
  readonly project?: AppProject;
  readonly invalid: boolean;
  /** The repository could not be read: another try may do. */
  readonly unreadable?: boolean;
}

export interface Refresh {
  readonly wanted: boolean;
  readonly hard: boolean;
}

export const noRefresh: Refresh = { wanted: false, hard: false };

export interface ObserverParts {
  readonly cluster: Cluster;
  readonly live: LiveObjects;
  readonly targets: TargetStates;
  readonly confirmer: DifferenceConfirmer;
  readonly clock: Clock;
}

export class Observer {
  readonly #parts: ObserverParts;

  constructor(parts: ObserverParts) {
    this.#parts = parts;
  }

  async observe(application: Application, refresh: Refresh, signal: AbortSignal): Promise<Observed> {
    const { targets, cluster, clock } = this.#parts;
    const now = clock.now();
    const project = await cluster.get(
      appProjects,
      { namespace: controllerNamespace, name: application.spec.project ?? "default" },
      { signal },
    );
    const refusals = [...specRefusals(application), ...projectRefusals(application, project)];
    const { source } = application.spec;
    if (refusals.length > 0 || source === undefined) {
      const conditions = refusals.map((message) => condition("InvalidSpecError", message));
      const finding = await this.#unknown(application, conditions, now);
      return { finding: { ...finding, comparison: { ...finding.comparison, health: "Unknown" } }, invalid: true };
    }
    const state = await targets.current(source, { refresh: refresh.wanted, hard: refresh.hard }, signal);
    const base = { invalid: false, ...(project && { project }) };
    if (state.kind === "failed") {
      const conditions = [condition("ComparisonError", state.message)];
      return {
        ...base,
        unreadable: state.revision === undefined,
        finding: { ...(await this.#unknown(application, conditions, now)), source, refreshed: refresh.wanted },
      };
    }
    return { ...base, ...(await this.#compare(application, state, refresh, now, signal)) };
  }

  async #compare(
    application: Application,
    rendered: RenderedState,
    refresh: Refresh,
    now: Temporal.Instant,
    signal: AbortSignal,
  ): Promise<Pick<Observed, "finding" | "targets" | "rendered">> {
    const { confirmer, live } = this.#parts;
    const { revision, source, sourceType } = rendered;
    const targets = await this.prepare(application, rendered);
    const problem = missingNamespace(targets, (apiVersion, kind) => this.#parts.cluster.resolveType(apiVersion, kind));
    if (problem !== undefined) {
      return {
        finding: {
          ...(await this.#unknown(application, [condition("ComparisonError", problem)], now)),
          source,
          revision,
        },
      };
    }
    const managed = live.managedBy(instanceName(application));
    const local = compareApplication(application, targets.objects, (key) => live.get(key), managed);
    const comparison = await confirmer.confirm(local, application.spec.ignoreDifferences ?? [], signal);
    const conditions = [
      ...targets.conditions,
      ...optionWarnings(application),
      ...sharedWarnings(application, comparison),
    ];
    const { wanted: refreshed } = refresh;
    return {
      targets,
      rendered,
      finding: { comparison, unknown: false, revision, source, sourceType, conditions, refreshed, now },
    };
  }

  /** The rendering as this Application's objects, with all their kinds watched. */
  async prepare(application: Application, rendered: RenderedState): Promise<Targets> {
    const { cluster, live } = this.#parts;
    const resolve = (apiVersion: string, kind: string): ResourceType | undefined =>
      cluster.resolveType(apiVersion, kind);
    const targets = targetsOf(application, rendered.manifests, resolve);
    const types = [...targets.objects, ...targets.hooks].map(({ apiVersion, kind }) => resolve(apiVersion, kind));
    await live.watch([...types, ...inventoryTypes(application, cluster)].filter((type) => type !== undefined));
    return targets;
  }

  /** What is known without a target: the objects that carry the Application's mark, and how they are. */
  async #unknown(
    application: Application,
    conditions: ApplicationCondition[],
    now: Temporal.Instant,
  ): Promise<Finding> {
    const { live, cluster } = this.#parts;
    await live.watch(inventoryTypes(application, cluster));
    const members = live.managedBy(instanceName(application)).map(toMember);
    const comparison: Comparison = { sync: "Unknown", health: overallHealth(members), objects: members };
    return { comparison, unknown: true, conditions, refreshed: false, now };
  }
}

function toMember(object: AnyObject): ComparedObject {
  const health = resourceHealth(object);
  const version = object.apiVersion.slice(object.apiVersion.indexOf("/") + 1);
  return {
    key: keyOfObject(object),
    version,
    live: object,
    status: "Unknown",
    prune: false,
    ...(health && { health }),
  };
}

function optionWarnings(application: Application): ApplicationCondition[] {
  const options = unknownOptions(syncOptionsOf(application));
  return options.map((option) =>
    condition("UnsupportedSyncOptionWarning", `Sync option "${option}" has no effect here: remove it`),
  );
}

function sharedWarnings(application: Application, { objects }: Comparison): ApplicationCondition[] {
  return objects.flatMap(({ key, live }) => {
    const owner = live === undefined ? undefined : ownerInstance(live);
    if (owner === undefined || owner === instanceName(application)) return [];
    const message = `${key.kind} "${key.name}" belongs to application "${owner}" too: remove it from one of them`;
    return [condition("SharedResourceWarning", message)];
  });
}
