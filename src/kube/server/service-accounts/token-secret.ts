/** What a Secret of a service account's token still needs. Pure. */
import type { AnyObject } from "#api";
import type { Reference } from "./claims.ts";

const tokenSecretType = "kubernetes.io/service-account-token";
const accountNameAnnotation = "kubernetes.io/service-account.name";
const accountUidAnnotation = "kubernetes.io/service-account.uid";

export interface TokenSecret {
  readonly namespace: string;
  readonly name: string;
  readonly account: string;
}

/** The account whose token the Secret is for; undefined for other Secrets. */
export function tokenSecretOf(secret: AnyObject): TokenSecret | undefined {
  const { namespace = "", name, annotations = {} } = secret.metadata;
  const account = annotations[accountNameAnnotation] ?? "";
  return secret["type"] === tokenSecretType && account !== "" ? { namespace, name, account } : undefined;
}

/** delete: its account is gone, or is another one of the same name. fill: something of what it is for is missing. */
export type TokenSecretStep =
  | { readonly kind: "none" }
  | { readonly kind: "delete" }
  | { readonly kind: "fill"; readonly account: Reference; readonly needsToken: boolean };

export function planTokenSecret(secret: AnyObject, account: AnyObject | undefined, authority: string): TokenSecretStep {
  const { annotations = {}, deletionTimestamp } = secret.metadata;
  if (deletionTimestamp !== undefined) return { kind: "none" };
  const uid = account?.metadata.uid;
  const claimed = annotations[accountUidAnnotation] ?? "";
  if (account === undefined || uid === undefined || (claimed !== "" && claimed !== uid)) return { kind: "delete" };
  const data = (secret["data"] ?? {}) as Record<string, string>;
  const needsToken = (data["token"] ?? "") === "";
  const whole = !needsToken && claimed === uid && data["namespace"] === encoded(secret.metadata.namespace ?? "");
  if (whole && (authority === "" || data["ca.crt"] === encoded(authority))) return { kind: "none" };
  return { kind: "fill", account: { name: account.metadata.name, uid }, needsToken };
}

/** The Secret with all that it is for. */
export function filledSecret(
  secret: AnyObject,
  account: Reference,
  { token, authority }: { readonly token: string | undefined; readonly authority: string },
): AnyObject {
  const { metadata } = secret;
  return {
    ...secret,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [accountUidAnnotation]: account.uid } },
    data: {
      ...(secret["data"] as Record<string, string> | undefined),
      ...(token === undefined ? {} : { token: encoded(token) }),
      ...(authority === "" ? {} : { "ca.crt": encoded(authority) }),
      namespace: encoded(metadata.namespace ?? ""),
    },
  };
}

function encoded(text: string): string {
  return Buffer.from(text).toString("base64");
}
