import assert from "node:assert/strict";
import { test } from "node:test";
import type { AppProject, Application } from "#api";
import { permitsObject, projectRefusals } from "./check-project.ts";
import { matchesGlob } from "./glob.ts";

function project(spec: AppProject["spec"]): AppProject {
  return { apiVersion: "argoproj.io/v1alpha1", kind: "AppProject", metadata: { name: "p", namespace: "argocd" }, spec };
}

function application(repoURL: string, namespace = "shop"): Application {
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: { name: "a", namespace: "argocd" },
    spec: {
      project: "p",
      source: { repoURL, path: "." },
      destination: { server: "https://kubernetes.default.svc", namespace },
    },
  };
}

const everywhere = [{ server: "*", namespace: "*" }];

const rows: readonly { name: string; spec: AppProject["spec"]; app: Application; refusals: number }[] = [
  {
    name: "a star permits every repository",
    spec: { sourceRepos: ["*"], destinations: everywhere },
    app: application("https://x.example/a/b"),
    refusals: 0,
  },
  {
    name: "a star between slashes permits one level",
    spec: { sourceRepos: ["https://x.example/*"], destinations: everywhere },
    app: application("https://x.example/a/b"),
    refusals: 1,
  },
  {
    name: "the ending .git does not matter",
    spec: { sourceRepos: ["https://x.example/a/*"], destinations: everywhere },
    app: application("https://x.example/a/b.git"),
    refusals: 0,
  },
  {
    name: "a denial wins",
    spec: { sourceRepos: ["*", "!https://x.example/a/b"], destinations: everywhere },
    app: application("https://x.example/a/b"),
    refusals: 1,
  },
  {
    name: "a denial of another repository permits nothing by itself",
    spec: { sourceRepos: ["!https://x.example/c"], destinations: everywhere },
    app: application("https://x.example/a/b"),
    refusals: 1,
  },
  {
    name: "a namespace that is not listed is refused",
    spec: { sourceRepos: ["*"], destinations: [{ server: "https://kubernetes.default.svc", namespace: "team-*" }] },
    app: application("r"),
    refusals: 1,
  },
  {
    name: "a namespace that matches is permitted, by the cluster's other name too",
    spec: { sourceRepos: ["*"], destinations: [{ name: "in-cluster", namespace: "sh?p" }] },
    app: application("r"),
    refusals: 0,
  },
  {
    name: "a denied namespace is refused",
    spec: { sourceRepos: ["*"], destinations: [...everywhere, { server: "*", namespace: "!shop" }] },
    app: application("r"),
    refusals: 1,
  },
  {
    name: "sync windows are refused rather than ignored",
    spec: { sourceRepos: ["*"], destinations: everywhere, syncWindows: [{ kind: "deny" }] },
    app: application("r"),
    refusals: 1,
  },
];

for (const { name, spec, app, refusals } of rows) {
  test(name, () => {
    assert.equal(projectRefusals(app, project(spec)).length, refusals);
  });
}

test("a project that does not exist is named", () => {
  assert.match(projectRefusals(application("r"), undefined)[0] ?? "", /references project "p" which does not exist/);
});

test("cluster-wide kinds need a listing, namespaced ones need none", () => {
  const clusterRole = { group: "rbac.authorization.k8s.io", kind: "ClusterRole", namespace: "", name: "r" };
  const service = { group: "", kind: "Service", namespace: "shop", name: "s" };

  assert.equal(permitsObject(project({ destinations: everywhere }), clusterRole), false);
  assert.equal(
    permitsObject(
      project({ destinations: everywhere, clusterResourceWhitelist: [{ group: "*", kind: "*" }] }),
      clusterRole,
    ),
    true,
  );
  assert.equal(permitsObject(project({ destinations: everywhere }), service), true);
  assert.equal(permitsObject(project({ destinations: everywhere, namespaceResourceWhitelist: [] }), service), false);
  assert.equal(
    permitsObject(
      project({ destinations: everywhere, namespaceResourceBlacklist: [{ group: "", kind: "Serv*" }] }),
      service,
    ),
    false,
  );
});

test("globs match whole texts", () => {
  assert.equal(matchesGlob("a.b", "axb", "none"), false);
  assert.equal(matchesGlob("{a,b}-*", "b-c", "none"), true);
  assert.equal(matchesGlob("**/x", "a/b/x", "/"), true);
  assert.equal(matchesGlob("[ab]?", "bz", "/"), true);
});
