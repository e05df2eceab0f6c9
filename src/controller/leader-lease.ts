/**
 * Leader election over a Lease, as client-go does it (15 s lease, 10 s renew deadline, 2 s retry), so that of several
 * control processes one acts. The holder stops acting before its lease can be taken: it gives up when it could not
 * renew for `renewDeadlineMs` < `leaseMs`.
 */
import { type Lease, leases } from "#api";
import { type Clock, fromTimestamp, isAbort, type Log, msBetween } from "#lib";
import { type Cluster, isKubeError } from "#kube";

export interface LeaderLeaseOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Log;
  readonly namespace: string;
  readonly name: string;
  /** Unique per process. */
  readonly identity: string;
  readonly leaseMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryMs?: number;
}

/** What to do with the lease as it is now. Pure. */
export type LeaseStep = "create" | "renew" | "take" | "wait";

export function planLease(
  lease: Lease | undefined,
  identity: string,
  leaseMs: number,
  now: Temporal.Instant,
): LeaseStep {
  if (lease === undefined) return "create";
  const { holderIdentity, renewTime, leaseDurationSeconds } = lease.spec ?? {};
  if (holderIdentity === identity) return "renew";
  if (holderIdentity === undefined || holderIdentity === "" || renewTime === undefined) return "take";
  const duration = leaseDurationSeconds === undefined ? leaseMs : leaseDurationSeconds * 1000;
  return msBetween(fromTimestamp(renewTime), now) > duration ? "take" : "wait";
}

/** Runs `lead` whenever this process holds the lease; its signal aborts when the lease is lost. Releases it at the end. */
export async function runAsLeader(
  options: LeaderLeaseOptions,
  lead: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const retryMs = options.retryMs ?? 2000;
  while (!signal.aborted) {
    if (await tryHold(options, signal)) {
      options.log.info("Leading", { lease: options.name, identity: options.identity });
      await leadWhileHolding(options, lead, signal);
    } else {
      await options.clock.sleep(retryMs, signal).catch(() => {});
    }
  }
}

async function leadWhileHolding(
  options: LeaderLeaseOptions,
  lead: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const lost = new AbortController();
  const mine = AbortSignal.any([signal, lost.signal]);
  const renewing = renewUntilLost(options, mine).finally(() => lost.abort());
  try {
    await lead(mine);
  } catch (error) {
    if (!(mine.aborted && isAbort(error))) throw error;
  } finally {
    lost.abort();
    await renewing;
    await release(options);
  }
}

async function renewUntilLost(options: LeaderLeaseOptions, signal: AbortSignal): Promise<void> {
  const deadlineMs = options.renewDeadlineMs ?? 10_000;
  let renewedAt = options.clock.monotonicMs();
  while (!signal.aborted) {
    await options.clock.sleep(options.retryMs ?? 2000, signal).catch(() => {});
    if (signal.aborted) return;
    if (await tryHold(options, signal)) renewedAt = options.clock.monotonicMs();
    else if (options.clock.monotonicMs() - renewedAt > deadlineMs) {
      options.log.warn("Lost the lease", { lease: options.name });
      return;
    }
  }
}

async function tryHold(options: LeaderLeaseOptions, signal: AbortSignal): Promise<boolean> {
  const { cluster, namespace, name, identity } = options;
  const leaseMs = options.leaseMs ?? 15_000;
  try {
    const lease = await cluster.get(leases, { namespace, name }, { signal });
    const step = planLease(lease, identity, leaseMs, options.clock.now());
    if (step === "wait") return false;
    const time = options.clock.now().toString({ smallestUnit: "microsecond" });
    const transitions = lease?.spec?.leaseTransitions ?? 0;
    const spec: NonNullable<Lease["spec"]> = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1000),
      acquireTime: step === "renew" ? (lease?.spec?.acquireTime ?? time) : time,
      renewTime: time,
      leaseTransitions: step === "take" ? transitions + 1 : transitions,
    };
    if (lease === undefined) {
      const fresh: Lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name, namespace }, spec };
      await cluster.create(leases, fresh, { signal });
    } else {
      await cluster.update(leases, { ...lease, spec }, { signal });
    }
    return true;
  } catch (error) {
    if (isKubeError(error, "Conflict") || isKubeError(error, "AlreadyExists")) return false;
    if (signal.aborted) return false;
    options.log.warn("Cannot hold the lease", { lease: name, error });
    return false;
  }
}

async function release(options: LeaderLeaseOptions): Promise<void> {
  const signal = AbortSignal.timeout(1000);
  const key = { namespace: options.namespace, name: options.name };
  try {
    const lease = await options.cluster.get(leases, key, { signal });
    if (lease?.spec?.holderIdentity !== options.identity) return;
    await options.cluster.update(leases, { ...lease, spec: { ...lease.spec, holderIdentity: "" } }, { signal });
  } catch (error) {
    options.log.debug("Lease not released, it will expire", { lease: options.name, error });
  }
}
