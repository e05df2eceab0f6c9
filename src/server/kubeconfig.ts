import { stringify } from "yaml";
import { writeFileAtomic } from "#lib";

/** A kubeconfig for `kubectl` and every other client: our API below `/kube`, with the admin token. Owner-readable only. */
export async function writeKubeconfig(file: string, controlUrl: string, token: string): Promise<void> {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "tidegate",
    clusters: [{ name: "tidegate", cluster: { server: `${controlUrl}/kube` } }],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "tidegate", context: { cluster: "tidegate", user: "admin", namespace: "default" } }],
  };
  await writeFileAtomic(file, stringify(config), 0o600);
}
