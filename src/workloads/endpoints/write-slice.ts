import { endpointSlices } from "#api";
import { isKubeError } from "#kube";
import type { ControllerContext } from "../controller-context.ts";
import type { SliceAction } from "./plan-slices.ts";

export async function writeSlice(
  { cluster }: Pick<ControllerContext, "cluster">,
  action: SliceAction,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = "", name } = action.slice.metadata;
  try {
    if (action.kind === "create") await cluster.create(endpointSlices, action.slice, { signal });
    else if (action.kind === "update") await cluster.update(endpointSlices, action.slice, { signal });
    else await cluster.delete(endpointSlices, { namespace, name }, { signal });
  } catch (error) {
    // The cache was behind: the event that is on its way brings us back.
    const behind = action.kind === "create" ? "AlreadyExists" : "NotFound";
    if (!isKubeError(error, behind)) throw error;
  }
}
