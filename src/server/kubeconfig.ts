import { stringify } from "yaml";
import { writeFileAtomic } from "#lib";

export interface KubeconfigContent {
  /** `https://127.0.0.1:7443` */
  readonly server: string;
  /** PEM of the authority to check the server by. */
  readonly authority: string;
  readonly user: string;
  readonly token: string;
  readonly namespace: string;
}

/** A kubeconfig as `kubectl` and every other client reads it: one cluster, one user, one context. */
export function kubeconfigText({ server, authority, user, token, namespace }: KubeconfigContent): string {
  const cluster = { server, "certificate-authority-data": Buffer.from(authority).toString("base64") };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "tidegate",
    clusters: [{ name: "tidegate", cluster }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: "tidegate", context: { cluster: "tidegate", user, namespace } }],
  };
  // One line each: some programs that read kubeconfigs do not join folded text.
  return stringify(config, { lineWidth: 0 });
}

/** The kubeconfig of the data folder, with the admin token: the owner's alone. */
export async function writeKubeconfig(
  file: string,
  content: Pick<KubeconfigContent, "server" | "authority" | "token">,
): Promise<void> {
  await writeFileAtomic(file, kubeconfigText({ ...content, user: "admin", namespace: "default" }), 0o600);
}
