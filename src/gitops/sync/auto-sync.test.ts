import assert from "node:assert/strict";
import { test } from "node:test";
import type { Application, ApplicationSource, OperationState } from "#api";
import { decideAutoSync, type AutoSyncInput } from "./auto-sync.ts";

const now = Temporal.Instant.from("2026-01-01T01:00:00Z");
const source: ApplicationSource = { repoURL: "r", path: "p" };
const drifted = { key: { group: "", kind: "ConfigMap", namespace: "n", name: "c" }, synced: false, prune: false };
const extra = { ...drifted, prune: true };

function application(automated: object | undefined, state?: Partial<OperationState>): Application {
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: { name: "a" },
    spec: { source, destination: {}, ...(automated && { syncPolicy: { automated } }) },
    ...(state && { status: { operationState: state as OperationState } }),
  };
}

function attempt(
  phase: OperationState["phase"],
  revision: string,
  agoSeconds = 3600,
  heals = 0,
): Partial<OperationState> {
  const finishedAt = now.subtract({ seconds: agoSeconds }).toString();
  return {
    phase,
    message: "why",
    finishedAt,
    operation: { sync: { selfHealAttemptsCount: heals } },
    syncResult: { revision, source },
  };
}

const rows: readonly { name: string; given: Partial<AutoSyncInput>; want: string }[] = [
  {
    name: "an application without automation never syncs",
    given: { application: application(undefined) },
    want: "none",
  },
  { name: "automation can be switched off", given: { application: application({ enabled: false }) }, want: "none" },
  { name: "a first difference syncs", given: {}, want: "sync" },
  { name: "what is in sync stays", given: { sync: "Synced" }, want: "none" },
  { name: "what is unknown never syncs", given: { sync: "Unknown" }, want: "none" },
  { name: "leftovers alone do not sync without prune", given: { resources: [extra] }, want: "none" },
  {
    name: "leftovers alone sync with prune",
    given: { application: application({ prune: true }), resources: [extra, { ...drifted, synced: true }] },
    want: "sync",
  },
  {
    name: "a repository that became empty does not wipe everything out",
    given: { application: application({ prune: true }), resources: [extra] },
    want: "refuse",
  },
  {
    name: "unless that is meant",
    given: { application: application({ prune: true, allowEmpty: true }), resources: [extra] },
    want: "sync",
  },
  {
    name: "a revision that failed is not tried again",
    given: { application: application({ selfHeal: true }, attempt("Failed", "1")) },
    want: "refuse",
  },
  { name: "the next revision is", given: { application: application({}, attempt("Failed", "0")) }, want: "sync" },
  {
    name: "drift from a synced revision stays without self-heal",
    given: { application: application({}, attempt("Succeeded", "1")) },
    want: "none",
  },
  {
    name: "drift is healed at once",
    given: { application: application({ selfHeal: true }, attempt("Succeeded", "1", 1)) },
    want: "sync",
  },
  {
    name: "the second heal waits",
    given: { application: application({ selfHeal: true }, attempt("Succeeded", "1", 1, 1)) },
    want: "later 1000",
  },
  {
    name: "the third heal waits longer",
    given: { application: application({ selfHeal: true }, attempt("Succeeded", "1", 1, 2)) },
    want: "later 5000",
  },
  {
    name: "after some peace it heals at once again",
    given: { application: application({ selfHeal: true }, attempt("Succeeded", "1", 331, 9)) },
    want: "sync",
  },
];

for (const { name, given, want } of rows) {
  test(name, () => {
    const input = {
      application: application({}),
      sync: "OutOfSync" as const,
      revision: "1",
      source,
      resources: [drifted],
      now,
      ...given,
    };

    const decision = decideAutoSync(input);

    assert.equal(decision.kind === "later" ? `later ${decision.ms}` : decision.kind, want);
  });
}

test("self-heal touches only what drifted", () => {
  const resources = [drifted, { ...drifted, key: { ...drifted.key, name: "fine" }, synced: true }];
  const given = application({ selfHeal: true, prune: true }, attempt("Succeeded", "1", 400, 3));

  const decision = decideAutoSync({ application: given, sync: "OutOfSync", revision: "1", source, resources, now });

  assert.deepEqual(decision, {
    kind: "sync",
    operation: {
      sync: { revision: "1", prune: true, resources: [drifted.key], selfHealAttemptsCount: 1 },
      retry: { limit: 5 },
      initiatedBy: { automated: true },
    },
  });
});
