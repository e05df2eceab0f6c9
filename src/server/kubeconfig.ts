import { stringify } from "yaml";
import { writeFileAtomic } from "#lib";

/**
 * A kubeconfig for `kubectl` and every other client: our API below `/kube`, with the admin token. Owner-readable only.
 *
 * Clients send no bearer token over plain HTTP (client-go drops it), but they do send what stands in the URL.
 */
export async function writeKubeconfig(file: string, controlUrl: string, token: string): Promise<void> {
  const server = new URL(`${controlUrl}/kube`);
  server.username = "tidegate";
  server.password = token;
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "tidegate",
    clusters: [{ name: "tidegate", cluster: { server: server.href } }],
    users: [{ name: "admin", user: {} }],
    contexts: [{ name: "tidegate", context: { cluster: "tidegate", user: "admin", namespace: "default" } }],
  };
  await writeFileAtomic(file, stringify(config), 0o600);
}
