/** Gives a fresh cluster its storage classes; one that has any keeps what its people made of them. */
import { storageClasses } from "#api";
import { type Cluster, isKubeError } from "#kube";
import { firstClasses } from "./storage-facts.ts";

export async function createFirstClasses(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const { items } = await cluster.list(storageClasses, { signal });
  if (items.length > 0) return;
  for (const storageClass of firstClasses) {
    try {
      await cluster.create(storageClasses, storageClass, { signal });
    } catch (error) {
      if (!isKubeError(error, "AlreadyExists")) throw error;
    }
  }
}
