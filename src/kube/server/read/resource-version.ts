import { KubeError } from "../../client/kube-error.ts";
import { badRequest } from "../refusals.ts";

/** The number in a resourceVersion parameter; undefined when there is none. Throws BadRequest when it is not a number. */
export function parseResourceVersion(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    const why = `strconv.ParseUint: parsing "${text}": invalid syntax`;
    throw badRequest(`invalid resource version: resourceVersion: Invalid value: "${text}": ${why}`);
  }
  return value;
}

/** Throws Timeout, which clients retry, when the revision has not happened yet. */
export function requireReached(revision: number, current: number): void {
  if (revision <= current) return;
  throw new KubeError("Timeout", `Timeout: Too large resource version: ${revision}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}
