/** What a repository is to others, and what it takes to open them. */
import type { Clock, Database, Ids, Log } from "#lib";
import type { RepositoryRow } from "./schema.ts";

export interface RepositoriesOptions {
  /** Everything of git lives below it. Owned by one server at a time. */
  readonly folder: string;
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Folders to find git in, as in PATH. */
  readonly searchPath?: string;
}

export interface Repository {
  readonly id: string;
  /** `owner/repo`, as it was created; looked up without regard to case. */
  readonly name: string;
  readonly defaultBranch: string;
  readonly description: string;
  readonly createdAt: string;
}

export interface CreateOptions {
  readonly defaultBranch?: string;
  readonly description?: string;
}

export function toRepository(row: RepositoryRow): Repository {
  return {
    id: row.id,
    name: row.name,
    defaultBranch: row.default_branch,
    description: row.description,
    createdAt: row.created_at,
  };
}
