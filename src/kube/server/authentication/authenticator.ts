/** Whom a request is from: a token of Tidegate's, or one of a service account. */
import type { AccessPort, Identity } from "#api";
import { KubeError } from "../../client/kube-error.ts";
import type { AccountTokens } from "../service-accounts/account-tokens.ts";
import { accountIssuer } from "../service-accounts/account-tokens.ts";
import { type KubeUser, userOfIdentity } from "./user.ts";

export interface Authenticated {
  readonly user: KubeUser;
  /** Of those asked for, the ones the token is for. */
  readonly audiences: readonly string[];
}

const protocolPrefix = "base64url.bearer.authorization.k8s.io.";

export class Authenticator {
  readonly #access: AccessPort;
  readonly #accounts: AccountTokens;
  /** A client's requests bring the same identity each time. */
  readonly #users = new WeakMap<Identity, KubeUser>();

  constructor(access: AccessPort, accounts: AccountTokens) {
    this.#access = access;
    this.#accounts = accounts;
  }

  /** Throws Unauthorized without a good token, Forbidden with one that is none for this API. */
  async authenticate(headers: Readonly<Record<string, string | undefined>>): Promise<KubeUser> {
    const authorization = headers["authorization"] ?? protocolToken(headers["sec-websocket-protocol"]);
    const bearer = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
    let found: KubeUser | undefined;
    try {
      if (bearer !== undefined) found = (await this.authenticateToken(bearer))?.user;
      else found = await this.#identity(authorization);
    } catch (error) {
      // Whoever has no good token is not told what is wrong with it.
      if (error instanceof KubeError && error.reason === "Unauthorized") throw unauthorized();
      throw error;
    }
    if (found === undefined) throw unauthorized();
    return found;
  }

  /** Undefined for a token nobody knows; throws Unauthorized, with the reason, for one that is not good any more. */
  async authenticateToken(
    token: string,
    audiences: readonly string[] = [accountIssuer],
  ): Promise<Authenticated | undefined> {
    if (looksSigned(token)) {
      const account = await this.#accounts.verify(token, audiences);
      if (account !== undefined) return account;
    }
    const user = await this.#identity(`Bearer ${token}`);
    // Tidegate's own tokens are for this API and for nobody else.
    const own = audiences.filter((audience) => audience === accountIssuer);
    return user === undefined || own.length === 0 ? undefined : { user, audiences: own };
  }

  async #identity(authorization: string | undefined): Promise<KubeUser | undefined> {
    const identity = await this.#access.authenticate(authorization);
    if (identity === undefined) return undefined;
    const user = this.#users.get(identity) ?? userOfIdentity(identity);
    if (user !== undefined) {
      this.#users.set(identity, user);
      return user;
    }
    const remedy = "it needs the scope kube:read or kube:write, or a user (tidegate token create --user)";
    throw new KubeError("Forbidden", `The token "${identity.name}" is none for the Kubernetes API: ${remedy}`);
  }
}

function unauthorized(): KubeError {
  return new KubeError("Unauthorized", "Unauthorized");
}

/** Three parts between dots: what a JSON web token looks like, and no token of Tidegate's. */
function looksSigned(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
}

/** Browsers cannot set headers of a WebSocket; the token then comes as one of the protocols they offer. */
function protocolToken(protocols: string | undefined): string | undefined {
  const offered = (protocols ?? "").slice(0, 16_384).split(",");
  const found = offered.map((item) => item.trim()).find((item) => item.startsWith(protocolPrefix));
  if (found === undefined) return undefined;
  return `Bearer ${Buffer.from(found.slice(protocolPrefix.length), "base64url").toString()}`;
}
