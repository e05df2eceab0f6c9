import { appProjects, namespaces, type AppProject } from "#api";
import { isKubeError, type Cluster } from "#kube";
import { controllerNamespace } from "../tracking.ts";

/** The project of Applications that name none: permits everything, as upstream's does at its first start. */
const defaultProject: AppProject = {
  apiVersion: "argoproj.io/v1alpha1",
  kind: "AppProject",
  metadata: { name: "default", namespace: controllerNamespace },
  spec: {
    description: "Permits every repository and every namespace of this cluster",
    sourceRepos: ["*"],
    sourceNamespaces: ["*"],
    destinations: [{ server: "*", namespace: "*" }],
    clusterResourceWhitelist: [{ group: "*", kind: "*" }],
  },
};

/** Creates namespace and project where they are absent; what is there stays as it is. */
export async function ensureDefaultProject(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: controllerNamespace } };
  await unlessThere(cluster.create(namespaces, namespace, { signal }));
  await unlessThere(cluster.create(appProjects, structuredClone(defaultProject), { signal }));
}

async function unlessThere(created: Promise<unknown>): Promise<void> {
  try {
    await created;
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
  }
}
