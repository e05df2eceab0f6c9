/** The split of the embedded cluster: a TrafficSplit object that the router reads and confirms. */
import { apiVersionOf, rollouts, type TrafficSplit, trafficSplits } from "#api";
import { deepEqual } from "#lib";
import type { Cluster } from "#kube";
import type { TrafficPort, WeightRequest } from "../ports.ts";

/** A split is verified when every router has its latest generation in its table. */
export function createEmbeddedTraffic({ cluster }: { readonly cluster: Cluster }): TrafficPort {
  return {
    async setWeights(request, signal) {
      const key = { namespace: request.namespace, name: request.rollout };
      const known = await cluster.get(trafficSplits, key, { signal });
      const split = await write(cluster, known, wantedSplit(request), signal);
      return { verified: (split.status?.observedGeneration ?? 0) >= (split.metadata.generation ?? 1) };
    },
  };
}

async function write(
  cluster: Cluster,
  known: TrafficSplit | undefined,
  wanted: TrafficSplit,
  signal: AbortSignal,
): Promise<TrafficSplit> {
  if (known === undefined) return await cluster.create(trafficSplits, wanted, { signal });
  const ownerReferences = wanted.metadata.ownerReferences ?? [];
  const sameOwner = known.metadata.ownerReferences?.[0]?.uid === ownerReferences[0]?.uid;
  if (sameOwner && deepEqual(known.spec, wanted.spec)) return known;
  const next = { ...structuredClone(known), spec: wanted.spec };
  next.metadata.ownerReferences = ownerReferences;
  return await cluster.update(trafficSplits, next, { signal });
}

function wantedSplit({ namespace, rollout, uid, weights }: WeightRequest): TrafficSplit {
  const owner = { apiVersion: apiVersionOf(rollouts), kind: rollouts.kind, name: rollout, uid };
  return {
    apiVersion: apiVersionOf(trafficSplits),
    kind: trafficSplits.kind,
    metadata: { name: rollout, namespace, ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }] },
    spec: { weights: weights.map(({ podTemplateHash, weight }) => ({ podTemplateHash, weight })) },
  };
}
