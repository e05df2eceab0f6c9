/** Keeps the EndpointSlices of Services: a readiness that flips is written at once, since traffic waits for it. */
import { type EndpointSlice, endpointSlices, pods, serviceNameLabel, services } from "#api";
import { type Controller, createController, type Request, settled, watching } from "#controller";
import type { ControllerContext } from "../controller-context.ts";
import { managedByLabel, manager, planSlices } from "./plan-slices.ts";
import { selectingServices } from "./selecting-services.ts";
import { writeSlice } from "./write-slice.ts";

export function createEndpointSliceController(context: ControllerContext): Controller {
  const known = context.informers.for(services);
  const allPods = context.informers.for(pods);
  const slices = context.informers.for(endpointSlices);
  return createController({
    ...context,
    name: "endpointslice-controller",
    primary: services,
    watches: [watching(pods, selectingServices(known)), watching(endpointSlices, serviceOf)],
    concurrency: 8,
    async reconcile({ namespace, name }, signal) {
      const service = known.get(namespace, name);
      // Without its service a slice is garbage, which the owner reference sees to.
      if (service?.spec.selector === undefined) return settled;
      const own = slices.list(namespace).filter((slice) => isOwn(slice, name));
      const actions = planSlices({ service, pods: allPods.list(namespace), slices: own });
      for (const action of actions) await writeSlice(context, action, signal);
      return settled;
    },
  });
}

function isOwn({ metadata }: EndpointSlice, service: string): boolean {
  return metadata.labels?.[serviceNameLabel] === service && metadata.labels[managedByLabel] === manager;
}

function serviceOf({ metadata }: EndpointSlice): readonly Request[] {
  const name = metadata.labels?.[serviceNameLabel];
  if (name === undefined || metadata.labels?.[managedByLabel] !== manager) return [];
  return [{ namespace: metadata.namespace ?? "", name }];
}
