/**
 * Identity tokens of workflow jobs (OpenID Connect): a job with `id-token: write` proves to others which repository,
 * branch and environment it runs for, without a secret that anybody could take along.
 *
 * A job gets a request token at its start, which carries its claims and our signature and is good for nothing else; with
 * it, it asks for identity tokens, each for one audience and a few minutes.
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, jwtVerify, SignJWT, type JWK } from "jose";
import { isObject, type Clock, type Ids } from "#lib";
import { AuthError } from "../errors.ts";
import { identityClaims, type IdentityClaims, type JobIdentity } from "./claims.ts";

export interface JobIdentitiesOptions {
  /** RSA, of 2048 bits or more: what every relying party takes. */
  readonly signingKey: KeyObject;
  /** Signs request tokens; at least 32 random bytes. */
  readonly requestKey: Uint8Array;
  /** Where relying parties reach this server; it becomes `iss`. */
  readonly issuer: () => string;
  readonly isRunning: (jobId: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly ids: Ids;
}

const requestAudience = "tidegate-id-token-requests";
const lifeSeconds = 300;
/** Room for clocks that go a little behind ours. */
const leewaySeconds = 60;
const maxAudienceLength = 500;

export class JobIdentities {
  readonly #options: JobIdentitiesOptions;
  readonly #jwk: JWK;

  private constructor(options: JobIdentitiesOptions, jwk: JWK) {
    this.#options = options;
    this.#jwk = jwk;
  }

  static async open(options: JobIdentitiesOptions): Promise<JobIdentities> {
    const jwk = await exportJWK(createPublicKey(options.signingKey));
    const kid = await calculateJwkThumbprint(jwk);
    return new JobIdentities(options, { ...jwk, kid, alg: "RS256", use: "sig" });
  }

  /** ACTIONS_ID_TOKEN_REQUEST_TOKEN. */
  async requestToken(identity: JobIdentity, lifetimeMs: number): Promise<string> {
    const now = this.#nowSeconds();
    return await new SignJWT({ claims: { ...identityClaims(identity) } })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setAudience(requestAudience)
      .setSubject(identity.jobId)
      .setIssuedAt(now)
      .setExpirationTime(now + Math.ceil(lifetimeMs / 1000))
      .sign(this.#options.requestKey);
  }

  /**
   * `defaultAudience` is the owner's page. Undefined when the request token is not one of a running job's. Throws
   * `auth/invalid` for an audience that is too long.
   */
  async identityToken(
    authorization: string | undefined,
    audience: string | undefined,
    defaultAudience: (owner: string) => string,
  ): Promise<string | undefined> {
    const claims = await this.#requested(authorization);
    if (claims === undefined) return undefined;
    const chosen =
      audience === undefined || audience === "" ? defaultAudience(claims["repository_owner"] ?? "") : audience;
    if (chosen.length > maxAudienceLength) {
      throw new AuthError(
        "auth/invalid",
        `Cannot sign for an audience of ${chosen.length} characters; ${maxAudienceLength} is the most`,
      );
    }
    const now = this.#nowSeconds();
    const { sub = "", ...others } = claims;
    const { signingKey, issuer, ids } = this.#options;
    return await new SignJWT(others)
      .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: this.#jwk.kid ?? "" })
      .setIssuer(issuer())
      .setAudience(chosen)
      .setSubject(sub)
      .setJti(ids.uuid())
      .setIssuedAt(now)
      .setNotBefore(now - leewaySeconds)
      .setExpirationTime(now + lifeSeconds)
      .sign(signingKey);
  }

  keySet(): { readonly keys: readonly JWK[] } {
    return { keys: [this.#jwk] };
  }

  configuration(): Readonly<Record<string, unknown>> {
    const issuer = this.#options.issuer();
    return {
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public", "pairwise"],
      id_token_signing_alg_values_supported: ["RS256"],
      scopes_supported: ["openid"],
      claims_supported: [...supportedClaims],
    };
  }

  async #requested(authorization: string | undefined): Promise<IdentityClaims | undefined> {
    const token = /^Bearer\s+(\S+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return undefined;
    const { requestKey, clock, isRunning } = this.#options;
    try {
      const currentDate = new Date(clock.now().epochMilliseconds);
      const { payload } = await jwtVerify(token, requestKey, {
        audience: requestAudience,
        algorithms: ["HS256"],
        currentDate,
      });
      const { claims } = payload;
      if (!isObject(claims) || !(await isRunning(payload.sub ?? ""))) return undefined;
      return Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, String(value)]));
    } catch {
      return undefined;
    }
  }

  #nowSeconds(): number {
    return Math.floor(this.#options.clock.now().epochMilliseconds / 1000);
  }
}

const supportedClaims = [
  "sub",
  "aud",
  "exp",
  "iat",
  "iss",
  "jti",
  "nbf",
  ...Object.keys(
    identityClaims({ jobId: "", github: {}, environment: "", jobWorkflowRef: "", jobWorkflowSha: "" }),
  ).filter((name) => name !== "sub"),
];
