/**
 * Tokens of service accounts: JSON web tokens that this server signs, and believes as long as what they are bound to
 * exists. Nothing is kept of a token; deleting its account, pod or secret ends it.
 */
import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { compactVerify, exportJWK, SignJWT } from "jose";
import { type AnyObject, nodes, type Pod, pods, qualifiedPlural, secrets, serviceAccounts } from "#api";
import { type Clock, fromTimestamp, type Ids, secretsEqual, sha256Hex, toTimestamp } from "#lib";
import { KubeError } from "../../client/kube-error.ts";
import {
  type KubeUser,
  authenticatedGroup,
  serviceAccountGroups,
  serviceAccountUserName,
} from "../authentication/user.ts";
import type { ObjectStore } from "../../store/object-store.ts";
import { badRequest, conflict, notFound } from "../refusals.ts";
import {
  type AccountClaims,
  type Binding,
  boundPayload,
  legacyIssuer,
  readClaims,
  type Reference,
  secretPayload,
} from "./claims.ts";

/** As upstream's usual `--service-account-issuer`: a name, the same for every cluster, that tokens keep for life. */
export const accountIssuer = "https://kubernetes.default.svc.cluster.local";

export const defaultExpirationSeconds = 3600;

export interface AccountTokenRequest {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Who may believe the token; absent or empty: this API. */
  readonly audiences?: readonly string[];
  /** Default: an hour. */
  readonly expirationSeconds?: number;
  /** The token ends with this object; a pod's or a secret's is in the account's namespace. */
  readonly boundTo?: { readonly kind: "Pod" | "Secret" | "Node"; readonly name: string; readonly uid?: string };
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresAt: string;
  readonly audiences: readonly string[];
}

export interface VerifiedAccount {
  readonly user: KubeUser;
  /** Of those asked for, the ones the token is for. */
  readonly audiences: readonly string[];
}

/** Clocks of signer and reader are the same one; what was deleted within this time still counts, as upstream has it. */
const leewaySeconds = 60;
/** Signatures that were found good, by the token's hash; claims are looked at every time. */
const maxKnown = 2000;

export interface AccountTokensOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly ids: Ids;
  /** P-256. */
  readonly signingKey: KeyObject;
  /** PEM of the authority that clients inside the cluster check this API by; "" where there is none. */
  readonly authority: string;
}

export class AccountTokens {
  readonly authority: string;
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #signingKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #keyId: string;
  readonly #known = new Map<string, AccountClaims>();

  constructor({ store, clock, ids, signingKey, authority }: AccountTokensOptions) {
    this.authority = authority;
    this.#store = store;
    this.#clock = clock;
    this.#ids = ids;
    this.#signingKey = signingKey;
    this.#publicKey = createPublicKey(signingKey);
    const encoded = this.#publicKey.export({ type: "spki", format: "der" });
    this.#keyId = createHash("sha256").update(encoded).digest("base64url");
  }

  /**
   * A token for the account, for the time and audiences asked for. Throws NotFound when account or bound object are
   * not there, BadRequest for a pod of another account, Conflict for an object of the same name with another uid.
   */
  async issue(request: AccountTokenRequest): Promise<IssuedToken> {
    const { namespace, serviceAccount } = request;
    const account = referenceTo(this.#account(namespace, serviceAccount));
    const audiences = (request.audiences ?? []).length === 0 ? [accountIssuer] : [...(request.audiences ?? [])];
    const binding = request.boundTo === undefined ? undefined : this.#bind(request, request.boundTo);
    const claims = { namespace, account, audiences, ...(binding === undefined ? {} : { binding }) };
    const now = this.#seconds();
    const expiresAt = now + (request.expirationSeconds ?? defaultExpirationSeconds);
    const token = await new SignJWT({ ...boundPayload(claims) })
      .setProtectedHeader({ alg: "ES256", kid: this.#keyId })
      .setIssuer(accountIssuer)
      .setSubject(serviceAccountUserName(namespace, serviceAccount))
      .setAudience(audiences)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(expiresAt)
      .setJti(this.#ids.uuid())
      .sign(this.#signingKey);
    return { token, expiresAt: toTimestamp(Temporal.Instant.fromEpochMilliseconds(expiresAt * 1000)), audiences };
  }

  /** A token without end, to be kept in a Secret: it is good as long as the Secret has it. */
  async issueForSecret(namespace: string, account: Reference, secret: string): Promise<string> {
    return await new SignJWT(secretPayload(namespace, account, secret))
      .setProtectedHeader({ alg: "ES256", kid: this.#keyId })
      .setIssuer(legacyIssuer)
      .setSubject(serviceAccountUserName(namespace, account.name))
      .sign(this.#signingKey);
  }

  /**
   * Whose token it is, if it is for one of the audiences (default: this API). Undefined for what is no token of ours;
   * throws Unauthorized for one that is not good (any more).
   */
  async verify(token: string, audiences: readonly string[] = [accountIssuer]): Promise<VerifiedAccount | undefined> {
    const claims = await this.#claimsOf(token);
    if (claims === undefined) return undefined;
    // Tokens kept in Secrets name no audience: they are for this API.
    const own = claims.heldBy === undefined ? claims.audiences : [accountIssuer];
    const common = audiences.filter((audience) => own.includes(audience));
    if (common.length === 0) {
      const wanted = JSON.stringify(audiences);
      throw notGood(`token audiences ${JSON.stringify(own)} is invalid for the target audiences ${wanted}`);
    }
    this.#checkTime(claims);
    this.#checkObjects(claims, token);
    return { user: userOf(claims), audiences: common };
  }

  /** The public keys, as a JSON web key set. */
  async keySet(): Promise<{ keys: Record<string, unknown>[] }> {
    const key = await exportJWK(this.#publicKey);
    return { keys: [{ use: "sig", ...key, kid: this.#keyId, alg: "ES256" }] };
  }

  async #claimsOf(token: string): Promise<AccountClaims | undefined> {
    const hash = sha256Hex(token);
    const known = this.#known.get(hash);
    if (known !== undefined) return known;
    let payload: Uint8Array;
    try {
      ({ payload } = await compactVerify(token, this.#publicKey, { algorithms: ["ES256"] }));
    } catch {
      // Not signed by us: whoever else knows tokens may know this one.
      return undefined;
    }
    const claims = readClaims(JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>, accountIssuer);
    if (claims === undefined) return undefined;
    this.#known.set(hash, claims);
    const oldest = this.#known.keys().next();
    if (this.#known.size > maxKnown && oldest.done !== true) this.#known.delete(oldest.value);
    return claims;
  }

  #checkTime({ expiresAt, notBefore }: AccountClaims): void {
    const now = this.#seconds();
    if (expiresAt !== undefined && now >= expiresAt) throw notGood("service account token has expired");
    if (notBefore !== undefined && now + leewaySeconds < notBefore) {
      throw notGood("service account token is not valid yet");
    }
  }

  #checkObjects({ namespace, account, binding, heldBy }: AccountClaims, token: string): void {
    const stored = this.#find(qualifiedPlural(serviceAccounts), namespace, account.name);
    if (stored === undefined || this.#isDeleted(stored)) {
      throw notGood(`service account ${namespace}/${account.name} has been deleted`);
    }
    if (stored.metadata.uid !== account.uid) {
      throw notGood(`service account UID (${stored.metadata.uid}) does not match claim (${account.uid})`);
    }
    if (heldBy !== undefined) this.#checkHolder(namespace, heldBy, token);
    if (binding === undefined) return;
    const bound = this.#boundObject(binding.kind, namespace, binding.to.name);
    if (bound === undefined || bound.metadata.uid !== binding.to.uid || this.#isDeleted(bound)) {
      throw notGood("service account token has been invalidated");
    }
  }

  #checkHolder(namespace: string, secret: string, token: string): void {
    const holder = this.#find(qualifiedPlural(secrets), namespace, secret);
    const data = holder?.["data"] as Record<string, string> | undefined;
    const kept = Buffer.from(data?.["token"] ?? "", "base64").toString();
    if (holder?.metadata.deletionTimestamp !== undefined || kept === "" || !secretsEqual(kept, token)) {
      throw notGood("Token has been invalidated");
    }
  }

  #bind(request: AccountTokenRequest, wanted: NonNullable<AccountTokenRequest["boundTo"]>): Binding {
    const { kind, name, uid } = wanted;
    const object = this.#boundObject(kind, request.namespace, name);
    const type = boundTypes[kind];
    if (object === undefined) throw notFound(type, name);
    const spec = kind === "Pod" ? (object as unknown as Pod).spec : undefined;
    if (spec !== undefined && (spec.serviceAccountName ?? "default") !== request.serviceAccount) {
      const account = JSON.stringify(request.serviceAccount);
      throw badRequest(
        `cannot bind token for serviceaccount ${account} to pod running with different serviceaccount name.`,
      );
    }
    if (uid !== undefined && uid !== "" && uid !== object.metadata.uid) {
      const why = `the UID in the bound object reference (${uid}) does not match the UID in record`;
      throw conflict(type, name, `${why}. The object might have been deleted and then recreated`);
    }
    const nodeName = spec?.nodeName ?? "";
    if (nodeName === "") return { kind, to: referenceTo(object) };
    const node = this.#find(qualifiedPlural(nodes), "", nodeName);
    return { kind, to: referenceTo(object), node: { name: nodeName, uid: node?.metadata.uid ?? "" } };
  }

  #boundObject(kind: Binding["kind"], namespace: string, name: string): AnyObject | undefined {
    return this.#find(qualifiedPlural(boundTypes[kind]), kind === "Node" ? "" : namespace, name);
  }

  #account(namespace: string, name: string): AnyObject {
    const account = this.#find(qualifiedPlural(serviceAccounts), namespace, name);
    if (account === undefined) throw notFound(serviceAccounts, name);
    return account;
  }

  #find(resource: string, namespace: string, name: string): AnyObject | undefined {
    return this.#store.get({ resource, namespace, name });
  }

  /** What is only marked may still use its token while it ends. */
  #isDeleted({ metadata: { deletionTimestamp } }: AnyObject): boolean {
    if (deletionTimestamp === undefined) return false;
    return fromTimestamp(deletionTimestamp).epochMilliseconds / 1000 < this.#seconds() - leewaySeconds;
  }

  #seconds(): number {
    return Math.floor(this.#clock.now().epochMilliseconds / 1000);
  }
}

const boundTypes = { Pod: pods, Secret: secrets, Node: nodes } as const;

function referenceTo({ metadata: { name, uid = "" } }: AnyObject): Reference {
  return { name, uid };
}

function userOf({ namespace, account, binding, tokenId }: AccountClaims): KubeUser {
  const prefix = "authentication.kubernetes.io/";
  const pod = binding?.kind === "Pod" ? binding.to : undefined;
  const node = binding?.kind === "Node" ? binding.to : binding?.node;
  const extra: Record<string, readonly string[]> = {
    ...(tokenId === undefined ? {} : { [`${prefix}credential-id`]: [`JTI=${tokenId}`] }),
    ...(node === undefined ? {} : { [`${prefix}node-name`]: [node.name] }),
    ...(node === undefined || node.uid === "" ? {} : { [`${prefix}node-uid`]: [node.uid] }),
    ...(pod === undefined ? {} : { [`${prefix}pod-name`]: [pod.name], [`${prefix}pod-uid`]: [pod.uid] }),
  };
  return {
    name: serviceAccountUserName(namespace, account.name),
    uid: account.uid,
    groups: [...serviceAccountGroups(namespace), authenticatedGroup],
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/** The message says why, and may be shown to whoever holds the token. */
function notGood(why: string): KubeError {
  return new KubeError("Unauthorized", why);
}
