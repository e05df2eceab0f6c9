/** Tokens, browser sessions and one-time login codes: who is asking. */
import type { Kysely } from "kysely";
import type { AccessPort, Identity } from "#api";
import { type Clock, type Database, formatProblems, fromTimestamp, type Ids, sha256Hex, toTimestamp } from "#lib";
import { secretOf } from "./credentials.ts";
import { AuthError } from "./errors.ts";
import { type AuthSchema, openAuthTables } from "./schema.ts";
import { scopeProblems } from "./scopes.ts";

export interface TokenView {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly expiresAt?: string;
}

export interface NewToken extends TokenView {
  /** Shown once; only its hash is kept. */
  readonly secret: string;
}

export interface MintOptions {
  readonly name: string;
  readonly scopes: readonly string[];
  /** Absent: does not expire. */
  readonly lifetimeMs?: number;
}

export interface TokenOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
}

const sessionLifetimeMs = 30 * 24 * 3_600_000;
const loginCodeLifetimeMs = 10 * 60_000;
/** Enough for a team that logs in at the same time; older codes fall out first. */
const maxLoginCodes = 100;

export class Tokens implements AccessPort {
  readonly #db: Kysely<AuthSchema>;
  readonly #clock: Clock;
  readonly #ids: Ids;
  /** Hash of a code → whom it logs in. Not kept over a restart: a code lives ten minutes and is easily made anew. */
  readonly #loginCodes = new Map<string, { identity: Identity; expiresAtMs: number }>();

  private constructor(db: Kysely<AuthSchema>, options: TokenOptions) {
    this.#db = db;
    this.#clock = options.clock;
    this.#ids = options.ids;
  }

  static async open(options: TokenOptions): Promise<Tokens> {
    return new Tokens(await openAuthTables(options.database), options);
  }

  async authenticate(authorization: string | undefined): Promise<Identity | undefined> {
    const secret = secretOf(authorization);
    return secret === undefined ? undefined : await this.#identityOf(secret);
  }

  /** The identity behind a browser's session cookie. */
  async authenticateSession(secret: string | undefined): Promise<Identity | undefined> {
    return secret === undefined ? undefined : await this.#identityOf(secret);
  }

  /** @throws AuthError when a scope is not one */
  async mint(options: MintOptions): Promise<NewToken> {
    const problems = scopeProblems(options.scopes);
    if (options.name === "" || options.name.length > 100) {
      problems.push({ path: "name", message: "A name of 1 to 100 characters is needed" });
    }
    if (problems.length > 0) {
      throw new AuthError("auth/invalid-token-request", `Cannot make a token: ${formatProblems(problems)}`);
    }
    return await this.#insert(options, "token");
  }

  /**
   * Stores a secret made elsewhere (the admin token's file) under a fixed id, replacing what had that id.
   */
  async install(id: string, secret: string, options: MintOptions): Promise<void> {
    const row = { ...this.#row(options, "token"), id, hash: sha256Hex(secret) };
    await this.#db.transaction().execute(async (transaction) => {
      await transaction.deleteFrom("auth_tokens").where("id", "=", id).execute();
      await transaction.insertInto("auth_tokens").values(row).execute();
    });
  }

  async list(): Promise<TokenView[]> {
    const rows = await this.#db.selectFrom("auth_tokens").selectAll().where("kind", "=", "token").execute();
    return rows.map(viewOf).sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  }

  /** @throws AuthError when there is no such token */
  async revoke(id: string): Promise<void> {
    const result = await this.#db.deleteFrom("auth_tokens").where("id", "=", id).executeTakeFirst();
    if (result.numDeletedRows === 0n) {
      throw new AuthError("auth/unknown-token", `Cannot revoke token "${id}": there is no token with this id`);
    }
  }

  /** A code that opens one browser session as `identity` within ten minutes. */
  makeLoginCode(identity: Identity): string {
    const code = this.#ids.secret(18);
    const expiresAtMs = this.#clock.now().epochMilliseconds + loginCodeLifetimeMs;
    this.#loginCodes.set(sha256Hex(code), { identity, expiresAtMs });
    const oldest = this.#loginCodes.keys().next();
    if (this.#loginCodes.size > maxLoginCodes && oldest.done !== true) this.#loginCodes.delete(oldest.value);
    return code;
  }

  /** Trades a login code for a session secret; a code works once. */
  async redeemLoginCode(code: string): Promise<string | undefined> {
    const hash = sha256Hex(code);
    const entry = this.#loginCodes.get(hash);
    this.#loginCodes.delete(hash);
    if (entry === undefined || entry.expiresAtMs < this.#clock.now().epochMilliseconds) return undefined;
    const session = { name: entry.identity.name, scopes: entry.identity.scopes, lifetimeMs: sessionLifetimeMs };
    return (await this.#insert(session, "session")).secret;
  }

  async #identityOf(secret: string): Promise<Identity | undefined> {
    const row = await this.#db
      .selectFrom("auth_tokens")
      .select(["name", "scopes", "expires_at"])
      .where("hash", "=", sha256Hex(secret))
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const now = this.#clock.now();
    if (row.expires_at !== null && Temporal.Instant.compare(fromTimestamp(row.expires_at), now) <= 0) return undefined;
    return { name: row.name, scopes: JSON.parse(row.scopes) as string[] };
  }

  async #insert(options: MintOptions, kind: "token" | "session"): Promise<NewToken> {
    const secret = `tg_${this.#ids.secret()}`;
    const row = { ...this.#row(options, kind), id: this.#ids.uuid(), hash: sha256Hex(secret) };
    await this.#db.insertInto("auth_tokens").values(row).execute();
    return { ...viewOf(row), secret };
  }

  #row(options: MintOptions, kind: "token" | "session"): Omit<AuthSchema["auth_tokens"], "id" | "hash"> {
    const now = this.#clock.now();
    const { lifetimeMs } = options;
    return {
      name: options.name,
      scopes: JSON.stringify(options.scopes),
      created_at: toTimestamp(now),
      expires_at: lifetimeMs === undefined ? null : toTimestamp(now.add({ milliseconds: Math.round(lifetimeMs) })),
      kind,
    };
  }
}

function viewOf(row: AuthSchema["auth_tokens"]): TokenView {
  return {
    id: row.id,
    name: row.name,
    scopes: JSON.parse(row.scopes) as string[],
    createdAt: row.created_at,
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
  };
}
