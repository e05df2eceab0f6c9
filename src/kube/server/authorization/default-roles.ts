/** The roles and bindings that every cluster has: those of upstream that clients and charts count on, and ours. Pure. */
import {
  type ClusterRole,
  type ClusterRoleBinding,
  type LabelSelector,
  type PolicyRule,
  rbacGroup,
  type Subject,
} from "#api";
import {
  authenticatedGroup,
  mastersGroup,
  readScopeGroup,
  unauthenticatedGroup,
  writeScopeGroup,
} from "../authentication/user.ts";

/** "true": brought up to what a version expects at each start; "false": left as it is. */
export const autoUpdateAnnotation = "rbac.authorization.k8s.io/autoupdate";

const bootstrap = {
  labels: { "kubernetes.io/bootstrapping": "rbac-defaults" },
  annotations: { [autoUpdateAnnotation]: "true" },
};

const read = ["get", "list", "watch"];
const write = ["create", "delete", "deletecollection", "patch", "update"];
const readWrite = [...read, ...write].sort();

const all = "*";
const authentication = "authentication.k8s.io";
const authorization = "authorization.k8s.io";
const networking = "networking.k8s.io";

export const defaultClusterRoles: readonly ClusterRole[] = [
  role("cluster-admin", [rule([all], all, [all]), urls([all], [all])]),
  role("system:discovery", [
    urls(["get"], words("/livez /readyz /healthz /version /version/ /openapi /openapi/* /api /api/* /apis /apis/*")),
  ]),
  role("system:public-info-viewer", [urls(["get"], ["/livez", "/readyz", "/healthz", "/version", "/version/"])]),
  role("system:monitoring", [
    urls(["get"], words("/metrics /metrics/slis /livez /readyz /healthz /livez/* /readyz/* /healthz/*")),
  ]),
  role("system:basic-user", [
    rule(["create"], authorization, ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]),
    rule(["create"], authentication, ["selfsubjectreviews"]),
  ]),
  role("system:auth-delegator", [
    rule(["create"], authentication, ["tokenreviews"]),
    rule(["create"], authorization, ["subjectaccessreviews"]),
  ]),
  role("system:service-account-issuer-discovery", [
    urls(
      ["get"],
      [
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/",
        "/openid/v1/jwks",
        "/openid/v1/jwks/",
      ],
    ),
  ]),
  aggregate("admin", undefined),
  aggregate("edit", "admin"),
  aggregate("view", "edit"),
  part("system:aggregate-to-admin", "admin", [
    rule(["create"], authorization, ["localsubjectaccessreviews"]),
    rule(readWrite, rbacGroup, ["roles", "rolebindings"]),
  ]),
  part("system:aggregate-to-edit", "edit", editRules()),
  part("system:aggregate-to-view", "view", viewRules()),
  ...ownRoles(),
];

export const defaultClusterRoleBindings: readonly ClusterRoleBinding[] = [
  binding("cluster-admin", [group(mastersGroup)]),
  binding("system:discovery", [group(authenticatedGroup)]),
  binding("system:basic-user", [group(authenticatedGroup)]),
  binding("system:public-info-viewer", [group(authenticatedGroup), group(unauthenticatedGroup)]),
  binding("system:monitoring", [group("system:monitoring")]),
  binding("system:service-account-issuer-discovery", [group("system:serviceaccounts")]),
  binding("tidegate:kube:read", [group(readScopeGroup)]),
  binding("tidegate:kube:write", [group(writeScopeGroup)], "cluster-admin"),
];

function viewRules(): PolicyRule[] {
  return [
    rule(
      read,
      "",
      words(
        "pods pods/log pods/status services services/status endpoints configmaps serviceaccounts",
        "persistentvolumeclaims persistentvolumeclaims/status replicationcontrollers",
        "replicationcontrollers/scale replicationcontrollers/status limitranges resourcequotas",
        "resourcequotas/status bindings events namespaces namespaces/status",
      ),
    ),
    rule(read, "discovery.k8s.io", ["endpointslices"]),
    rule(
      read,
      "apps",
      words(
        "controllerrevisions statefulsets statefulsets/status statefulsets/scale daemonsets",
        "daemonsets/status deployments deployments/status deployments/scale replicasets",
        "replicasets/status replicasets/scale",
      ),
    ),
    rule(read, "autoscaling", ["horizontalpodautoscalers", "horizontalpodautoscalers/status"]),
    rule(read, "batch", ["jobs", "jobs/status", "cronjobs", "cronjobs/status"]),
    rule(read, "policy", ["poddisruptionbudgets", "poddisruptionbudgets/status"]),
    rule(read, networking, ["networkpolicies", "ingresses", "ingresses/status"]),
  ];
}

/** Reading secrets is no viewing: whoever reads them can become the service accounts whose tokens they are. */
function editRules(): PolicyRule[] {
  const intoPods = ["pods/attach", "pods/proxy", "pods/exec", "pods/portforward"];
  return [
    rule(read, "", [...intoPods, "secrets", "services/proxy"]),
    rule(["impersonate"], "", ["serviceaccounts"]),
    rule(write, "", ["pods", ...intoPods]),
    rule(["create"], "", ["pods/eviction", "serviceaccounts/token"]),
    rule(
      write,
      "",
      words(
        "replicationcontrollers replicationcontrollers/scale serviceaccounts services",
        "services/proxy persistentvolumeclaims configmaps secrets events",
      ),
    ),
    rule(
      write,
      "apps",
      words(
        "statefulsets statefulsets/scale daemonsets deployments deployments/scale",
        "deployments/rollback replicasets replicasets/scale",
      ),
    ),
    rule(write, "autoscaling", ["horizontalpodautoscalers"]),
    rule(write, "batch", ["jobs", "cronjobs"]),
    rule(write, "policy", ["poddisruptionbudgets"]),
    rule(write, networking, ["networkpolicies", "ingresses"]),
    rule(readWrite, "coordination.k8s.io", ["leases"]),
  ];
}

/** Kinds that are installed upstream with roles of their own, and what Tidegate's token scopes mean. */
function ownRoles(): ClusterRole[] {
  const argo = words(
    "rollouts rollouts/scale rollouts/status experiments analysistemplates analysisruns",
    "applications appprojects applicationsets",
  );
  return [
    part("tidegate:aggregate-to-admin", "admin", [rule(readWrite, "argoproj.io", argo)]),
    part("tidegate:aggregate-to-edit", "edit", [
      rule(readWrite, "argoproj.io", argo),
      rule(readWrite, "tidegate.dev", ["trafficsplits"]),
    ]),
    part("tidegate:aggregate-to-view", "view", [
      rule(read, "argoproj.io", argo),
      rule(read, "tidegate.dev", ["trafficsplits"]),
      rule(read, "metrics.k8s.io", ["pods", "nodes"]),
    ]),
    role("tidegate:kube:read", [rule(read, all, [all]), urls(["get"], [all])]),
  ];
}

/** Long lists read better as text. */
function words(...lines: string[]): string[] {
  return lines.flatMap((line) => line.split(" "));
}

function rule(verbs: string[], apiGroup: string, resources: string[]): PolicyRule {
  return { apiGroups: [apiGroup], resources, verbs };
}

function urls(verbs: string[], nonResourceURLs: string[]): PolicyRule {
  return { nonResourceURLs, verbs };
}

function role(name: string, rules: PolicyRule[], labels: Record<string, string> = {}): ClusterRole {
  const metadata = { name, annotations: bootstrap.annotations, labels: { ...bootstrap.labels, ...labels } };
  return { apiVersion: `${rbacGroup}/v1`, kind: "ClusterRole", metadata, rules };
}

function aggregateLabel(to: string): Record<string, string> {
  return { [`rbac.authorization.k8s.io/aggregate-to-${to}`]: "true" };
}

/** Gathers its rules from the parts; what is added to it counts for `to` as well. */
function aggregate(name: string, to: string | undefined): ClusterRole {
  const clusterRoleSelectors: LabelSelector[] = [{ matchLabels: aggregateLabel(name) }];
  const whole = role(name, [], to === undefined ? {} : aggregateLabel(to));
  return { ...whole, aggregationRule: { clusterRoleSelectors } };
}

function part(name: string, to: string, rules: PolicyRule[]): ClusterRole {
  return role(name, rules, aggregateLabel(to));
}

function binding(name: string, subjects: Subject[], roleName = name): ClusterRoleBinding {
  return {
    apiVersion: `${rbacGroup}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name, ...bootstrap },
    subjects,
    roleRef: { apiGroup: rbacGroup, kind: "ClusterRole", name: roleName },
  };
}

function group(name: string): Subject {
  return { kind: "Group", apiGroup: rbacGroup, name };
}
