/** Tokens, browser sessions and one-time login codes: who is asking. */
import type { Kysely, Transaction } from "kysely";
import { isJobName, type AccessPort, type Identity } from "#api";
import {
  type Clock,
  type Database,
  formatProblems,
  fromTimestamp,
  type Ids,
  msBetween,
  sha256Hex,
  toTimestamp,
} from "#lib";
import { secretOf } from "./credentials.ts";
import { AuthError } from "./errors.ts";
import { type AuthSchema, openAuthTables } from "./schema.ts";
import { scopeProblems } from "./scopes.ts";
import { userProblems } from "./user-names.ts";

export interface TokenView {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly user?: TokenUser;
  readonly createdAt: string;
  readonly expiresAt?: string;
}

/** Whom a token counts as in the Kubernetes API. */
interface TokenUser {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface NewToken extends TokenView {
  /** Shown once; only its hash is kept. */
  readonly secret: string;
}

export interface MintOptions {
  readonly name: string;
  /** May be empty for a token with a user: roles in the cluster then say all that it may. */
  readonly scopes: readonly string[];
  readonly user?: TokenUser | undefined;
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

/** A longer life is none of a token's: leave the limit out instead. */
const maxLifetimeMs = 100 * 365 * 24 * 3_600_000;

interface Origin {
  /** The token's id, also when a session of it asks. */
  readonly token: string;
  readonly expiresAt: string | null;
}

export class Tokens implements AccessPort {
  readonly #db: Kysely<AuthSchema>;
  readonly #clock: Clock;
  readonly #ids: Ids;
  /** Hash of a code → whom it logs in. Not kept over a restart: a code lives ten minutes and is easily made anew. */
  readonly #loginCodes = new Map<string, { identity: Identity; origin: Origin | undefined; expiresAtMs: number }>();
  /** What an identity that we gave out stands on; a session that it opens must not outlive that. */
  readonly #origins = new WeakMap<Identity, Origin>();

  /** By hash, those that asked since any changed. Expiry is looked at each time. */
  readonly #known = new Map<string, Identity>();
  #changes = 0;

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
    const { scopes, user } = options;
    const problems = scopes.length === 0 && user !== undefined ? [] : scopeProblems(scopes);
    if (user !== undefined) problems.push(...userProblems(user));
    if (options.name === "" || options.name.length > 100) {
      problems.push({ path: "name", message: "A name of 1 to 100 characters is needed" });
    }
    // Whoever has one counts as a job of that run, in what it starts and in what is told of it.
    if (isJobName(options.name) || /\p{Cc}/u.test(options.name)) {
      const message = `Names that begin with "run/" are those of jobs, and control characters are none of a name`;
      problems.push({ path: "name", message });
    }
    const { lifetimeMs = 1 } = options;
    if (typeof lifetimeMs !== "number" || !(lifetimeMs > 0 && lifetimeMs <= maxLifetimeMs)) {
      problems.push({ path: "lifetime", message: "A lifetime above 0 and of at most 100 years is needed, or none" });
    }
    if (problems.length > 0) {
      throw new AuthError("auth/invalid-token-request", `Cannot make a token: ${formatProblems(problems)}`);
    }
    return await this.#insert(options, "token");
  }

  /**
   * Stores a secret made elsewhere (the admin token's file) under a fixed id, replacing what had that id. Another secret
   * than before ends the sessions of the former one.
   */
  async install(id: string, secret: string, options: MintOptions): Promise<void> {
    const row = { ...this.#row(options, "token"), id, hash: sha256Hex(secret) };
    await this.#transaction(async (transaction) => {
      const former = transaction.selectFrom("auth_tokens").select("hash").where("id", "=", id);
      const changed = (await former.executeTakeFirst())?.hash !== row.hash;
      if (changed) await transaction.deleteFrom("auth_tokens").where("parent", "=", id).execute();
      await transaction.deleteFrom("auth_tokens").where("id", "=", id).execute();
      await transaction.insertInto("auth_tokens").values(row).execute();
    });
  }

  async list(): Promise<TokenView[]> {
    const rows = await this.#db.selectFrom("auth_tokens").selectAll().where("kind", "=", "token").execute();
    return rows.map(viewOf).sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  }

  /** Ends the token and the sessions that it opened. @throws AuthError when there is no such token */
  async revoke(id: string): Promise<void> {
    const deleted = await this.#transaction(async (transaction) => {
      await transaction.deleteFrom("auth_tokens").where("parent", "=", id).execute();
      return await transaction.deleteFrom("auth_tokens").where("id", "=", id).executeTakeFirst();
    });
    for (const [hash, code] of this.#loginCodes) if (code.origin?.token === id) this.#loginCodes.delete(hash);
    if (deleted.numDeletedRows === 0n) {
      throw new AuthError("auth/unknown-token", `Cannot revoke token "${id}": there is no token with this id`);
    }
  }

  /** A code that opens one browser session as `identity` within ten minutes. */
  makeLoginCode(identity: Identity): string {
    const code = this.#ids.secret(18);
    const expiresAtMs = this.#clock.now().epochMilliseconds + loginCodeLifetimeMs;
    this.#loginCodes.set(sha256Hex(code), { identity, origin: this.#origins.get(identity), expiresAtMs });
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
    const { identity, origin } = entry;
    const { name, scopes, user } = identity;
    const expiresAt = origin?.expiresAt ?? undefined;
    const endsInMs = expiresAt === undefined ? Number.POSITIVE_INFINITY : this.#msUntil(expiresAt);
    if (endsInMs <= 0) return undefined;
    const lifetimeMs = Math.min(sessionLifetimeMs, endsInMs);
    const session = { name, scopes, user, lifetimeMs };
    return (await this.#insert(session, "session", origin?.token)).secret;
  }

  async #identityOf(secret: string): Promise<Identity | undefined> {
    const hash = sha256Hex(secret);
    const known = this.#known.get(hash) ?? (await this.#read(hash));
    if (known === undefined) return undefined;
    const { expiresAt } = this.#origins.get(known) ?? { expiresAt: null };
    return expiresAt !== null && this.#msUntil(expiresAt) <= 0 ? undefined : known;
  }

  /** Who was found is kept in memory until any token changes: each request of each client asks. */
  async #read(hash: string): Promise<Identity | undefined> {
    const changes = this.#changes;
    const row = await this.#db
      .selectFrom("auth_tokens")
      .select(["id", "name", "scopes", "username", "user_groups", "expires_at", "parent"])
      .where("hash", "=", hash)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const identity = { name: row.name, scopes: JSON.parse(row.scopes) as string[], ...userOfRow(row) };
    this.#origins.set(identity, { token: row.parent ?? row.id, expiresAt: row.expires_at });
    // One that was read while tokens changed may be gone already.
    if (changes === this.#changes) this.#known.set(hash, identity);
    return identity;
  }

  /** Whatever replaces or ends tokens does so in here: what was read before or meanwhile counts no more. */
  async #transaction<T>(change: (transaction: Transaction<AuthSchema>) => Promise<T>): Promise<T> {
    this.#forget();
    try {
      return await this.#db.transaction().execute(change);
    } finally {
      this.#forget();
    }
  }

  #forget(): void {
    this.#changes += 1;
    this.#known.clear();
  }

  #msUntil(timestamp: string): number {
    return msBetween(this.#clock.now(), fromTimestamp(timestamp));
  }

  async #insert(options: MintOptions, kind: "token" | "session", parent?: string): Promise<NewToken> {
    const secret = `tg_${this.#ids.secret()}`;
    const row = { ...this.#row(options, kind), id: this.#ids.uuid(), hash: sha256Hex(secret), parent: parent ?? null };
    await this.#db.deleteFrom("auth_tokens").where("expires_at", "<=", row.created_at).execute();
    await this.#db.insertInto("auth_tokens").values(row).execute();
    return { ...viewOf(row), secret };
  }

  #row(options: MintOptions, kind: "token" | "session"): Omit<AuthSchema["auth_tokens"], "id" | "hash"> {
    const now = this.#clock.now();
    const { lifetimeMs } = options;
    return {
      name: options.name,
      scopes: JSON.stringify(options.scopes),
      username: options.user?.name ?? null,
      user_groups: options.user === undefined ? null : JSON.stringify(options.user.groups),
      created_at: toTimestamp(now),
      expires_at: lifetimeMs === undefined ? null : toTimestamp(now.add({ milliseconds: Math.round(lifetimeMs) })),
      kind,
      parent: null,
    };
  }
}

function userOfRow(row: Pick<AuthSchema["auth_tokens"], "username" | "user_groups">): { user?: TokenUser } {
  if (row.username === null) return {};
  return { user: { name: row.username, groups: JSON.parse(row.user_groups ?? "[]") as string[] } };
}

function viewOf(row: AuthSchema["auth_tokens"]): TokenView {
  return {
    id: row.id,
    name: row.name,
    scopes: JSON.parse(row.scopes) as string[],
    ...userOfRow(row),
    createdAt: row.created_at,
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
  };
}
