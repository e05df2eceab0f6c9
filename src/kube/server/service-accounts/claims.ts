/** What a service account's token says: the claims upstream writes, of bound tokens and of those kept in Secrets. Pure. */
import { isObject } from "#lib";
import { splitServiceAccountName } from "../authentication/user.ts";

export interface Reference {
  readonly name: string;
  readonly uid: string;
}

/** What the token is bound to: it is good as long as that is there. A pod's token may name its node, which does not count. */
export interface Binding {
  readonly kind: "Pod" | "Secret" | "Node";
  readonly to: Reference;
  readonly node?: Reference;
}

export interface AccountClaims {
  readonly namespace: string;
  readonly account: Reference;
  readonly binding?: Binding;
  /** Of a token kept in a Secret, which does not expire: the Secret it must stand in. */
  readonly heldBy?: string;
  /** Seconds since 1970; absent on tokens kept in Secrets. */
  readonly expiresAt?: number;
  readonly notBefore?: number;
  readonly audiences: readonly string[];
  readonly tokenId?: string;
}

export const legacyIssuer = "kubernetes/serviceaccount";
const legacy = "kubernetes.io/serviceaccount";

type Claims = Record<string, unknown>;

/** The private part of a bound token's payload. */
export function boundPayload({ namespace, account, binding }: AccountClaims): Claims {
  const bound = binding === undefined ? {} : { [binding.kind.toLowerCase()]: binding.to };
  const node = binding?.node === undefined ? {} : { node: binding.node };
  return { "kubernetes.io": { namespace, ...bound, ...node, serviceaccount: account } };
}

/** The payload of a token that a Secret keeps. */
export function secretPayload(namespace: string, account: Reference, secret: string): Claims {
  return {
    [`${legacy}/namespace`]: namespace,
    [`${legacy}/secret.name`]: secret,
    [`${legacy}/service-account.name`]: account.name,
    [`${legacy}/service-account.uid`]: account.uid,
  };
}

/** Undefined for a payload that no token of `issuer` has. */
export function readClaims(payload: Claims, issuer: string): AccountClaims | undefined {
  const claims = payload["iss"] === legacyIssuer ? secretClaims(payload) : boundClaims(payload, issuer);
  if (claims === undefined) return undefined;
  const subject = splitServiceAccountName(textOf(payload["sub"]));
  return subject?.namespace === claims.namespace && subject.name === claims.account.name ? claims : undefined;
}

function boundClaims(payload: Claims, issuer: string): AccountClaims | undefined {
  const own = payload["kubernetes.io"];
  const { iss, aud, exp, nbf, jti } = payload;
  if (iss !== issuer || !isObject(own) || typeof exp !== "number") return undefined;
  const account = referenceOf(own["serviceaccount"]);
  const namespace = textOf(own["namespace"]);
  if (account === undefined || namespace === "") return undefined;
  const binding = bindingOf(own);
  return {
    namespace,
    account,
    expiresAt: exp,
    audiences: Array.isArray(aud) ? aud.filter((item) => typeof item === "string") : [textOf(aud)],
    ...(typeof nbf === "number" ? { notBefore: nbf } : {}),
    ...(typeof jti === "string" ? { tokenId: jti } : {}),
    ...(binding === undefined ? {} : { binding }),
  };
}

function bindingOf(own: Claims): Binding | undefined {
  const pod = referenceOf(own["pod"]);
  const node = referenceOf(own["node"]);
  if (pod !== undefined) return { kind: "Pod", to: pod, ...(node === undefined ? {} : { node }) };
  const secret = referenceOf(own["secret"]);
  if (secret !== undefined) return { kind: "Secret", to: secret };
  return node === undefined ? undefined : { kind: "Node", to: node };
}

function secretClaims(payload: Claims): AccountClaims | undefined {
  const [namespace, heldBy, name, uid] = [
    "namespace",
    "secret.name",
    "service-account.name",
    "service-account.uid",
  ].map((field) => textOf(payload[`${legacy}/${field}`]));
  if (namespace === undefined || heldBy === undefined || name === undefined || uid === undefined) return undefined;
  if ([namespace, heldBy, name, uid].includes("")) return undefined;
  return { namespace, heldBy, account: { name, uid }, audiences: [] };
}

function referenceOf(value: unknown): Reference | undefined {
  if (!isObject(value)) return undefined;
  const name = textOf(value["name"]);
  return name === "" ? undefined : { name, uid: textOf(value["uid"]) };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
