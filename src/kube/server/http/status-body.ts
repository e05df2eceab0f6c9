import { maxBodyBytes } from "./request-body.ts";
import { KubeError } from "../../client/kube-error.ts";

/** The `Status` object that says what a refusal is. */
export function statusBody(error: KubeError): Record<string, unknown> {
  const { details: all = {}, message, reason, httpCode } = error;
  const { continue: token, ...details } = all;
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: token === undefined ? {} : { continue: token },
    status: "Failure",
    message,
    reason,
    // kubectl reads the details of what is not found without looking whether there are any.
    ...(Object.keys(details).length === 0 && reason !== "NotFound" ? {} : { details }),
    code: httpCode,
  };
}

/** The `Status` object of a finished deletion. */
export function successBody(details: Record<string, unknown>): Record<string, unknown> {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
}

/** Anything thrown as a refusal; what is not one of ours says nothing about its inside. */
export function toKubeError(thrown: unknown): KubeError {
  if (thrown instanceof KubeError) return thrown;
  const code = typeof thrown === "object" && thrown !== null && "statusCode" in thrown ? thrown.statusCode : undefined;
  if (code === 413) {
    return new KubeError("RequestEntityTooLarge", `Request entity too large: limit is ${maxBodyBytes}`);
  }
  if (typeof code === "number" && code >= 400 && code < 500 && thrown instanceof Error) {
    return new KubeError("BadRequest", thrown.message, {}, thrown);
  }
  return new KubeError("InternalError", "Internal error occurred: see the server's log", {}, thrown);
}
