/** Keeps the older Endpoints objects in step with Services, and slices in step with Endpoints written by hand. */
import { type Endpoints, endpoints, type EndpointSlice, endpointSlices, pods, serviceNameLabel, services } from "#api";
import { type Controller, createController, type Request, settled, watching } from "#controller";
import { isKubeError } from "#kube";
import type { ControllerContext } from "../controller-context.ts";
import { type EndpointsAction, planEndpoints } from "./plan-endpoints.ts";
import { mirrorManager, planMirror } from "./plan-mirror.ts";
import { managedByLabel } from "./plan-slices.ts";
import { selectingServices } from "./selecting-services.ts";
import { writeSlice } from "./write-slice.ts";

export function createEndpointsController(context: ControllerContext): Controller {
  const { informers } = context;
  const known = informers.for(services);
  const allPods = informers.for(pods);
  const allEndpoints = informers.for(endpoints);
  const slices = informers.for(endpointSlices);
  const sameName = ({ metadata }: Endpoints): readonly Request[] => [
    { namespace: metadata.namespace ?? "", name: metadata.name },
  ];
  return createController({
    ...context,
    name: "endpoint-controller",
    primary: services,
    watches: [
      watching(pods, selectingServices(known)),
      watching(endpoints, sameName),
      watching(endpointSlices, mirrored),
    ],
    async reconcile({ namespace, name }, signal) {
      const service = known.get(namespace, name);
      const present = allEndpoints.get(namespace, name);
      const action = planEndpoints(service, allPods.list(namespace), present);
      if (action !== undefined) await writeEndpoints(context, action, signal);
      const own = slices.list(namespace).filter((slice) => mirrored(slice).some((request) => request.name === name));
      for (const step of planMirror({ service, endpoints: present, slices: own })) {
        await writeSlice(context, step, signal);
      }
      return settled;
    },
  });
}

function mirrored({ metadata }: EndpointSlice): readonly Request[] {
  const name = metadata.labels?.[serviceNameLabel];
  if (name === undefined || metadata.labels?.[managedByLabel] !== mirrorManager) return [];
  return [{ namespace: metadata.namespace ?? "", name }];
}

async function writeEndpoints(
  { cluster }: ControllerContext,
  { kind, endpoints: object }: EndpointsAction,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = "", name } = object.metadata;
  try {
    if (kind === "create") await cluster.create(endpoints, object, { signal });
    else if (kind === "update") await cluster.update(endpoints, object, { signal });
    else await cluster.delete(endpoints, { namespace, name }, { signal });
  } catch (error) {
    // The cache was behind: the event that is on its way brings us back. A namespace that goes away takes them along.
    const harmless = ["AlreadyExists", "NotFound", "Forbidden"] as const;
    if (!harmless.some((reason) => isKubeError(error, reason))) throw error;
  }
}
