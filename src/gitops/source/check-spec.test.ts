import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import type { Application } from "#api";
import { specRefusals } from "./check-spec.ts";
import { parseImageOverride } from "./render-options.ts";

const base = `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: api, namespace: argocd}
spec:
  project: production
  source:
    repoURL: https://git.example.com/infra
    targetRevision: main
    path: apps/api/overlays/production
  destination: {server: https://kubernetes.default.svc, namespace: production}
  syncPolicy:
    automated: {prune: true, selfHeal: true}
    syncOptions: [CreateNamespace=true, PruneLast=true]
    retry: {limit: 5, backoff: {duration: 5s, factor: 2, maxDuration: 3m}}
`;

function refusals(change: (spec: Application["spec"]) => void): string {
  const application = parse(base) as Application;
  change(application.spec);
  return specRefusals(application).join("\n");
}

test("the usual application is served", () => {
  assert.equal(
    refusals(() => {}),
    "",
  );
});

const rows: readonly [name: string, change: (spec: Application["spec"]) => void, want: RegExp][] = [
  [
    "several sources",
    (spec) => (spec.sources = [{ repoURL: "a" }]),
    /^spec\.sources is not supported: use one spec\.source/,
  ],
  ["a chart", (spec) => (spec.source = { repoURL: "a", chart: "redis" }), /^Helm sources are not supported/],
  [
    "another cluster",
    (spec) => (spec.destination = { name: "eu" }),
    /names "eu": only this cluster can be reached; set server to/,
  ],
  [
    "a cluster named twice",
    (spec) => (spec.destination.name = "in-cluster"),
    /^spec\.destination has both server and name/,
  ],
  [
    "a kustomize field nobody applies",
    (spec) => (spec.source = { repoURL: "a", path: ".", kustomize: { components: [] } }),
    /^spec\.source\.kustomize\.components is not supported/,
  ],
  [
    "jq rules",
    (spec) => (spec.ignoreDifferences = [{ kind: "X", jqPathExpressions: ["."] }]),
    /^spec\.ignoreDifferences\[0\] is not supported: name the fields in jsonPointers/,
  ],
];

for (const [name, change, want] of rows) {
  test(`${name}: refused with what to do instead`, () => {
    assert.match(refusals(change), want);
  });
}

test("image overrides are read as kustomize writes them", () => {
  assert.deepEqual(parseImageOverride("shop/web:v2"), { name: "shop/web", newTag: "v2" });
  assert.deepEqual(parseImageOverride("web=host:5000/shop/web@sha256:ab"), {
    name: "web",
    newName: "host:5000/shop/web",
    digest: "sha256:ab",
  });
});
