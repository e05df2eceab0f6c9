/** Whether the Kubernetes API answers over TLS, as a client with the kubeconfig of this server would find it. */
import { get } from "node:https";
import type { TLSSocket } from "node:tls";
import type { Client } from "./client.ts";

export interface ClusterReached {
  readonly url: string;
  /** Of the certificate, as OpenSSL prints it. */
  readonly certificateUntil: string;
}

const patienceMs = 5000;

/** Rejects with what is wrong: nothing listens, or the certificate does not stand for the name. */
export async function reachCluster(client: Client): Promise<ClusterReached> {
  const { port, authority } = await client.api<{ port: number; authority: string }>("/cluster-access");
  const url = `https://${new URL(client.url).hostname}:${port}`;
  const certificateUntil = await new Promise<string>((resolve, reject) => {
    const request = get(`${url}/healthz`, { ca: authority, timeout: patienceMs, agent: false }, (response) => {
      resolve((response.socket as TLSSocket).getPeerCertificate().valid_to);
      response.resume();
    });
    request.once("timeout", () => request.destroy(new Error(`no answer within ${patienceMs / 1000} s`)));
    request.once("error", reject);
  });
  return { url, certificateUntil };
}
