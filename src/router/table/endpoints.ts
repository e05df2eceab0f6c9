/** Which endpoints of a Service take requests, and in which shares. Pure. */
import { isIP } from "node:net";
import { podTemplateHashLabel, reachablePort, type EndpointSlice, type Pod, type TrafficSplit } from "#api";
import { addressOf, everyRevision, type EndpointGroup, type TableEndpoint } from "./routing-table.ts";

/** An endpoint before it is known whether it will be used. */
export interface Candidate extends TableEndpoint {
  readonly state: "ready" | "leaving" | "unready";
}

type Slice = EndpointSlice;

/** Every endpoint behind the named port, also those not ready: a split stands as soon as a pod carries its hash. */
export function endpointsOfPort(
  slices: readonly Slice[],
  portName: string,
  pods: ReadonlyMap<string, Pod>,
): readonly Candidate[] {
  const found = new Map<string, Candidate>();
  for (const slice of slices) {
    if (slice.addressType === "FQDN") continue;
    const port = slice.ports?.find(
      (port) => (port.name ?? "") === portName && (port.protocol ?? "TCP") === "TCP",
    )?.port;
    if (port === undefined) continue;
    for (const endpoint of slice.endpoints) {
      const candidate = toCandidate(endpoint, port, pods);
      if (candidate === undefined) continue;
      // While a slice is replaced an endpoint may stand in two of them; the better state is the newer truth for us.
      const known = found.get(addressOf(candidate));
      if (known === undefined || rank[candidate.state] < rank[known.state]) found.set(addressOf(candidate), candidate);
    }
  }
  return [...found.values()].sort((a, b) => (a.ip === b.ip ? a.port - b.port : a.ip < b.ip ? -1 : 1));
}

const rank = { ready: 0, leaving: 1, unready: 2 } as const;

function toCandidate(
  endpoint: Slice["endpoints"][number],
  slicePort: number,
  pods: ReadonlyMap<string, Pod>,
): Candidate | undefined {
  const ip = endpoint.addresses[0] ?? "";
  // Routers refuse a table with anything else, and one odd slice must not keep all others from being served.
  if (isIP(ip) === 0) return undefined;
  const uid = endpoint.targetRef?.uid ?? "";
  const pod = uid === "" ? undefined : pods.get(uid);
  const revision = pod?.metadata.labels?.[podTemplateHashLabel] ?? "";
  const port = portOf(pod, slicePort);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return { ip, port, revision, pod: uid, state: stateOf(endpoint.conditions ?? {}) };
}

/** Slices may hold the container's port or already the real one; mapping a real port again changes nothing. */
function portOf(pod: Pod | undefined, port: number): number {
  if (pod === undefined) return port;
  try {
    return reachablePort(pod, port);
  } catch {
    return port;
  }
}

/** discovery.k8s.io/v1: a missing `ready` counts as true, a missing `serving` as `ready`. */
function stateOf(conditions: { ready?: boolean; serving?: boolean; terminating?: boolean }): Candidate["state"] {
  const ready = conditions.ready ?? true;
  if (ready) return "ready";
  return conditions.terminating === true && conditions.serving === true ? "leaving" : "unready";
}

/**
 * The groups that share the requests. Without a split that names one of the endpoints' revisions: all ready endpoints
 * in one group. With one: each named revision has its weight, others get nothing. When a weight has no endpoint it
 * falls to the other weights in proportion (60/30/10 without the 60 is 30:10). The first of these that is not empty:
 * weighted and ready, weighted and leaving but still serving, weight 0 and ready, weight 0 and leaving. The last two
 * are why a canary Service answers before the first step: its only revision has weight 0.
 */
export function divideEndpoints(
  candidates: readonly Candidate[],
  splits: readonly TrafficSplit[],
): readonly EndpointGroup[] {
  const weights = weightsFor(candidates, splits);
  if (weights === undefined) {
    const usable = firstNotEmpty([byState(candidates, "ready"), byState(candidates, "leaving")]);
    return usable.length === 0 ? [] : [{ key: everyRevision, weight: 1, endpoints: usable.map(toEndpoint) }];
  }
  const weighted = candidates.filter((candidate) => (weights.get(candidate.revision) ?? 0) > 0);
  const unweighted = candidates.filter((candidate) => weights.get(candidate.revision) === 0);
  const chosen = firstNotEmpty([
    byState(weighted, "ready"),
    byState(weighted, "leaving"),
    byState(unweighted, "ready"),
    byState(unweighted, "leaving"),
  ]);
  return [...Map.groupBy(chosen, (candidate) => candidate.revision)]
    .map(([key, group]) => ({ key, weight: weights.get(key) || 1, endpoints: group.map(toEndpoint) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** The weights of every split that names a revision found here; undefined when none does. */
function weightsFor(
  candidates: readonly Candidate[],
  splits: readonly TrafficSplit[],
): ReadonlyMap<string, number> | undefined {
  const present = new Set(candidates.map((candidate) => candidate.revision));
  const standing = splits.filter((split) => split.spec.weights.some((entry) => present.has(entry.podTemplateHash)));
  if (standing.length === 0) return undefined;
  const weights = new Map<string, number>();
  for (const entry of standing.flatMap((split) => split.spec.weights)) {
    if (entry.podTemplateHash === "" || weights.has(entry.podTemplateHash)) continue;
    weights.set(entry.podTemplateHash, soundWeight(entry.weight));
  }
  return weights;
}

function soundWeight(weight: number): number {
  return Number.isFinite(weight) ? Math.min(Math.max(0, Math.round(weight)), 1_000_000) : 0;
}

function byState(candidates: readonly Candidate[], state: Candidate["state"]): readonly Candidate[] {
  return candidates.filter((candidate) => candidate.state === state);
}

function firstNotEmpty(lists: readonly (readonly Candidate[])[]): readonly Candidate[] {
  return lists.find((list) => list.length > 0) ?? [];
}

function toEndpoint({ ip, port, revision, pod }: Candidate): TableEndpoint {
  return { ip, port, revision, pod };
}
