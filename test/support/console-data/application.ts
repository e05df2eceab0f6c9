/** An application with an error in its repository, differences and a pod that does not start. */
import type { ApplicationDetail, ResourceDiff } from "#api";
import { ago, digest } from "./moments.ts";

export const application: ApplicationDetail = {
  namespace: "argocd",
  name: "shop",
  repoURL: "http://127.0.0.1:7070/acme/environments.git",
  path: "apps/shop/overlays/production",
  targetRevision: "main",
  destinationNamespace: "shop",
  sync: "OutOfSync",
  health: "Progressing",
  revision: "77ab01c5e0d94f1ab2c3d4e5f60718293a4b5c6d",
  automated: true,
  operationPending: false,
  operationPhase: "Succeeded",
  operationMessage: "successfully synced (all tasks run)",
  operationStartedAt: ago(22),
  images: [`127.0.0.1:7070/acme/shop@${digest}`, "127.0.0.1:7070/acme/shop:v1"],
  conditions: [
    {
      type: "ComparisonError",
      message:
        'Cannot render "apps/shop/overlays/production": apps/shop/overlays/production/kustomization.yaml:7:5: resources[1]: there is no file "ingres.yaml": did you mean "ingress.yaml"?\nWhat was deployed last keeps running',
      at: ago(15),
    },
  ],
  history: [
    { id: 1, revision: "1f2e3d4c5b6a79880716253443526170fedcba98", deployedAt: ago(8970) },
    { id: 2, revision: "5c90aa1b2c3d4e5f60718293a4b5c6d7e8f90123", deployedAt: ago(2378) },
    { id: 3, revision: "77ab01c5e0d94f1ab2c3d4e5f60718293a4b5c6d", deployedAt: ago(20) },
  ],
  tree: [
    node("svc", "", "Service", "shop", [], undefined, { sync: "Synced", health: "Healthy" }),
    node("ro", "argoproj.io", "Rollout", "shop", ["revision 3", "ready 3/2"], undefined, {
      sync: "Synced",
      health: "Progressing",
      healthMessage: "more replicas need to be updated",
    }),
    node("rs3", "apps", "ReplicaSet", "shop-6d5f8c9b7", ["revision 3", "ready 1/1"], "ro", { health: "Healthy" }),
    node("pod3", "", "Pod", "shop-6d5f8c9b7-x2kqp", ["Running"], "rs3", { health: "Healthy" }),
    node("rs1", "apps", "ReplicaSet", "shop-7c9d6b5f8", ["revision 1", "ready 2/2"], "ro", { health: "Healthy" }),
    node("pod1", "", "Pod", "shop-7c9d6b5f8-9hl4z", ["Running"], "rs1", { health: "Healthy" }),
    node("pod2", "", "Pod", "shop-7c9d6b5f8-tt81w", ["CrashLoopBackOff", "4 restarts"], "rs1", {
      health: "Degraded",
      healthMessage: 'Container "shop" ended with exit code 1; starts again in 40 s',
    }),
    node("ar", "argoproj.io", "AnalysisRun", "shop-6d5f8c9b7-3-1", ["Running"], "ro", { health: "Progressing" }),
    node("at", "argoproj.io", "AnalysisTemplate", "success-rate", [], undefined, { sync: "OutOfSync" }),
    node("cm", "", "ConfigMap", "shop-settings-with-a-rather-long-name-h7t2k9", [], undefined, { sync: "OutOfSync" }),
  ],
};

function node(
  uid: string,
  group: string,
  kind: string,
  name: string,
  info: string[],
  parentUid: string | undefined,
  more: object,
) {
  return {
    uid,
    group,
    version: "v1",
    kind,
    namespace: "shop",
    name,
    info,
    createdAt: ago(8970),
    ...(parentUid === undefined ? {} : { parentUid }),
    ...more,
  };
}

const template = (rate: string, extra = ""): string => `apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: success-rate
  namespace: shop
spec:
  args:
    - name: service
    - name: revision
  metrics:
    - name: success-rate
      initialDelay: 3s
      interval: 2s
      count: 3
      successCondition: len(result) > 0 && result[0] >= ${rate}
${extra}      provider:
        prometheus:
          query: |
            sum(rate(tidegate_router_requests_total{service="{{args.service}}"}[10s]))
`;

export const diffs: ResourceDiff[] = [
  {
    group: "argoproj.io",
    kind: "AnalysisTemplate",
    namespace: "shop",
    name: "success-rate",
    change: "update",
    live: template("0.98"),
    target: template("0.995", "      inconclusiveLimit: 3\n"),
  },
  {
    group: "",
    kind: "ConfigMap",
    namespace: "shop",
    name: "shop-settings-with-a-rather-long-name-h7t2k9",
    change: "create",
    live: "",
    target:
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop-settings-with-a-rather-long-name-h7t2k9\ndata:\n  TAX: by-country\n",
  },
  { group: "", kind: "Service", namespace: "shop", name: "shop", change: "none", live: "a: 1\n", target: "a: 1\n" },
];
