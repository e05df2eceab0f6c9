import type { KubeObject, ResourceType } from "#api";
import { type Cluster, isKubeError } from "#kube";

/** The object with its new status; undefined when it went meanwhile, so that there is nothing more to say of it. */
export async function writeStatus<T extends KubeObject>(
  cluster: Cluster,
  type: ResourceType<T>,
  object: T,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return await cluster.updateStatus(type, object, { signal });
  } catch (error) {
    if (isKubeError(error, "NotFound")) return undefined;
    throw error;
  }
}
