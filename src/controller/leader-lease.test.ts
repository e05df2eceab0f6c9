import assert from "node:assert/strict";
import { test } from "node:test";
import type { Lease } from "#api";
import { planLease } from "./leader-lease.ts";

const now = Temporal.Instant.from("2026-01-01T00:01:00Z");

function leaseOf(holderIdentity: string, renewTime: string): Lease {
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: "lease" },
    spec: { holderIdentity, renewTime, leaseDurationSeconds: 15 },
  };
}

const cases = [
  { name: "a missing lease is created", lease: undefined, want: "create" },
  { name: "one's own lease is renewed", lease: leaseOf("me", "2026-01-01T00:00:00Z"), want: "renew" },
  { name: "a fresh lease of another is waited for", lease: leaseOf("other", "2026-01-01T00:00:50Z"), want: "wait" },
  {
    name: "a lease at exactly its end still belongs to its holder",
    lease: leaseOf("other", "2026-01-01T00:00:45Z"),
    want: "wait",
  },
  { name: "an expired lease is taken", lease: leaseOf("other", "2026-01-01T00:00:44Z"), want: "take" },
  { name: "a released lease is taken", lease: leaseOf("", "2026-01-01T00:00:59Z"), want: "take" },
] as const;
for (const { name, lease, want } of cases) {
  test(name, () => assert.equal(planLease(lease, "me", 15_000, now), want));
}
