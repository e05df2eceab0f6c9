/** Creates or updates an object through the Kubernetes API, as `kubectl apply` would for the first time. */
import { parse } from "yaml";
import type { KubeObject } from "#api";
import type { Client } from "../client.ts";
import { CliError } from "../errors.ts";

export async function applyApplication(client: Client, manifest: string): Promise<void> {
  const object = parse(manifest) as KubeObject;
  const namespace = object.metadata.namespace ?? "argocd";
  await ensureNamespace(client, namespace);
  const path = `/kube/apis/argoproj.io/v1alpha1/namespaces/${namespace}/applications`;
  if (await exists(client, `${path}/${object.metadata.name}`)) {
    const type = "application/merge-patch+json";
    await client.request(`${path}/${object.metadata.name}`, { method: "PATCH", body: object, contentType: type });
  } else {
    await client.request(path, { method: "POST", body: object });
  }
}

/** The application of that name in the usual namespace. */
export async function findApplication(client: Client, name: string): Promise<KubeObject | undefined> {
  const path = `/kube/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/${name}`;
  if (!(await exists(client, path))) return undefined;
  return (await (await client.request(path)).json()) as KubeObject;
}

async function ensureNamespace(client: Client, name: string): Promise<void> {
  if (await exists(client, `/kube/api/v1/namespaces/${name}`)) return;
  const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
  await client.request("/kube/api/v1/namespaces", { method: "POST", body });
}

async function exists(client: Client, path: string): Promise<boolean> {
  try {
    await client.request(path);
    return true;
  } catch (error) {
    if (error instanceof CliError && /not found/.test(error.message)) return false;
    throw error;
  }
}

/** Creates the repository unless it is there. */
export async function ensureRepository(client: Client, name: string): Promise<void> {
  const { items } = await client.api<{ items: { name: string }[] }>("/repositories");
  if (items.some((repository) => repository.name === name)) return;
  await client.api("/repositories", { method: "POST", body: { name } });
}
