/**
 * Keeps the routers' table true to the cluster: services, endpoints, pods, ingresses and traffic splits in, one table
 * out, given to every router, and then each split told which generation of it is in force everywhere.
 *
 * Changes that come while a table is being given are folded into the next one, so that a burst costs two tables.
 */
import {
  endpointSlices,
  ingresses,
  type KubeObject,
  type Pod,
  pods,
  type ResourceType,
  services,
  type TrafficSplit,
  trafficSplits,
} from "#api";
import { backoffDelayMs, type Clock, deepEqual, errorMessage, type Log, Wake } from "#lib";
import { type Cluster, isKubeError } from "#kube";
import type { Informers } from "#controller";
import { planRoutingTable, type Routers, type RoutingTable, splitGenerations } from "#router";
import { isApiServerService } from "./api-server-service.ts";
import { acknowledgeIngresses, acknowledgeLoadBalancers } from "./ingress-status.ts";

export interface TrafficControllerOptions {
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly routers: Routers;
  readonly clock: Clock;
  readonly log: Log;
}

const retry = { initialMs: 20, factor: 2, maxMs: 2000, jitter: 0 };

export async function runTrafficController(options: TrafficControllerOptions, signal: AbortSignal): Promise<void> {
  const wake = new Wake();
  using subscriptions = new DisposableStack();
  const watch = <T extends KubeObject>(type: ResourceType<T>): void => {
    subscriptions.use(options.informers.for(type).subscribe(() => wake.notify()));
  };
  watch(services);
  watch(endpointSlices);
  // Only pods that an endpoint refers to lead anywhere; a slice that comes to refer to one is a change by itself.
  let referred: ReadonlyMap<string, Pod | undefined> = new Map();
  subscriptions.use(
    options.informers.for(pods).subscribe(({ object }) => {
      if (referred.has(placeOf(object.metadata))) wake.notify();
    }),
  );
  watch(ingresses);
  watch(trafficSplits);
  await options.informers.synced();
  // Generations grow over restarts too: each process begins at its start time.
  let generation = options.clock.now().epochMilliseconds;
  let applied: RoutingTable | undefined;
  let failures = 0;
  while (!signal.aborted) {
    try {
      referred = referredPods(options.informers);
      const table = observe(options.informers, referred, generation + 1);
      if (applied === undefined || !sameTraffic(applied, table)) {
        generation += 1;
        await options.routers.apply(table, signal);
        applied = table;
      }
      await acknowledgeSplits(options, applied, signal);
      await acknowledgeIngresses(options.cluster, options.informers, signal);
      await acknowledgeLoadBalancers(options.cluster, options.informers, signal);
      failures = 0;
      await wake.wait(signal);
    } catch (error) {
      if (signal.aborted) return;
      options.log.warn("Cannot give the routers their table, trying again", { error: errorMessage(error) });
      await options.clock.sleep(backoffDelayMs(retry, failures++, 0), signal).catch(() => {});
    }
  }
}

/** By place; undefined for those that an endpoint names and that are not there (yet). */
function referredPods(informers: Informers): ReadonlyMap<string, Pod | undefined> {
  const found = new Map<string, Pod | undefined>();
  for (const { metadata, endpoints } of informers.for(endpointSlices).list()) {
    for (const { targetRef } of endpoints) {
      if (targetRef?.kind !== "Pod" || targetRef.name === undefined) continue;
      const { name, namespace = metadata.namespace ?? "" } = targetRef;
      found.set(placeOf({ namespace, name }), informers.for(pods).get(namespace, name));
    }
  }
  return found;
}

function placeOf({ namespace = "", name }: { namespace?: string; name: string }): string {
  return `${namespace}/${name}`;
}

function observe(
  informers: Informers,
  referred: ReadonlyMap<string, Pod | undefined>,
  generation: number,
): RoutingTable {
  return planRoutingTable({
    services: informers
      .for(services)
      .list()
      .filter((service) => !isApiServerService(service)),
    endpointSlices: informers.for(endpointSlices).list(),
    pods: [...referred.values()].filter((pod) => pod !== undefined),
    ingresses: informers.for(ingresses).list(),
    trafficSplits: informers.for(trafficSplits).list(),
    generation,
  });
}

function sameTraffic(a: RoutingTable, b: RoutingTable): boolean {
  return deepEqual({ ...a, generation: 0 }, { ...b, generation: 0 });
}

/** Writes the generation in force into each split's status, which is what a rollout waits for. */
async function acknowledgeSplits(
  options: TrafficControllerOptions,
  table: RoutingTable,
  signal: AbortSignal,
): Promise<void> {
  for (const { namespace, name, generation } of splitGenerations(table)) {
    const split: TrafficSplit | undefined = options.informers.for(trafficSplits).get(namespace, name);
    if (split === undefined || (split.status?.observedGeneration ?? 0) >= generation) continue;
    const patch = { type: "merge", patch: { status: { observedGeneration: generation } } } as const;
    try {
      await options.cluster.patch(trafficSplits, { namespace, name }, patch, { signal, subresource: "status" });
    } catch (error) {
      if (!isKubeError(error, "NotFound")) throw error;
    }
  }
}
