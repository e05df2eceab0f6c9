import type { FastifyInstance } from "fastify";
import { permits } from "#api";
import { ApiError } from "./api-error.ts";
import { identityOf } from "./session.ts";

/** What a kubeconfig needs beside a token: public facts, for whoever may ask the cluster anything. */
export interface ClusterAccess {
  /** Port of the Kubernetes API over TLS, on the host that the asker reached. */
  readonly port: number;
  /** PEM of the authority to check it by. */
  readonly authority: string;
}

export function clusterAccessRoutes(app: FastifyInstance, access: () => ClusterAccess): void {
  app.get("/cluster-access", (request) => {
    const identity = identityOf(request);
    if (!permits(identity, "kube", "read") && identity.user === undefined) {
      throw new ApiError(
        "api/forbidden",
        "This token is none for the cluster: it needs the scope kube:read, or a user",
      );
    }
    return access();
  });
}
