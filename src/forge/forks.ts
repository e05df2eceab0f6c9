/** Which repository is a fork of which: from a fork, commits may be offered to its parent. */
import { parseHead } from "./head-branch.ts";
import type { CommitsPort, RepositoryRef } from "./ports.ts";
import type { ForgeDatabase } from "./schema.ts";

export interface HeadBranch {
  readonly repository: RepositoryRef;
  readonly branch: string;
  readonly ref: string;
}

export class Forks {
  readonly #db: ForgeDatabase;
  readonly #commits: CommitsPort;

  constructor(db: ForgeDatabase, commits: CommitsPort) {
    this.#db = db;
    this.#commits = commits;
  }

  /** Notes that `fork` was made from `parent`. */
  async add(fork: RepositoryRef, parent: RepositoryRef): Promise<void> {
    const values = { repository_id: fork.id, parent_id: parent.id };
    await this.#db
      .insertInto("forge_forks")
      .values(values)
      .onConflict((conflict) => conflict.column("repository_id").doUpdateSet(values))
      .execute();
  }

  async parentId(repositoryId: string): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom("forge_forks")
      .select("parent_id")
      .where("repository_id", "=", repositoryId)
      .executeTakeFirst();
    return row?.parent_id;
  }

  async childIds(repositoryId: string): Promise<readonly string[]> {
    const rows = await this.#db
      .selectFrom("forge_forks")
      .select("repository_id")
      .where("parent_id", "=", repositoryId)
      .execute();
    return rows.map((row) => row.repository_id);
  }

  /** Repositories that have open pull requests from this one. */
  async parents(repositoryId: string): Promise<readonly RepositoryRef[]> {
    const rows = await this.#db
      .selectFrom("forge_pulls")
      .innerJoin("forge_issues", "forge_issues.id", "forge_pulls.issue_id")
      .select("repository_id")
      .distinct()
      .where("head_repository_id", "=", repositoryId)
      .where("repository_id", "!=", repositoryId)
      .where("state", "=", "open")
      .execute();
    const found = await Promise.all(rows.map((row) => this.#commits.named(row.repository_id)));
    return found.filter((one) => one !== undefined);
  }

  /** The branch that `text` names, in the repository itself or in a fork of it; undefined when there is none. */
  async head(repository: RepositoryRef, text: string): Promise<HeadBranch | undefined> {
    const { owner, repository: name, branch } = parseHead(text);
    if (branch === "") return undefined;
    const ref = `refs/heads/${branch}`;
    const own = repository.name.split("/");
    const isOwn = owner === undefined || (same(owner, own[0]) && (name === undefined || same(name, own[1])));
    if (isOwn) return { repository, branch, ref };
    for (const id of await this.childIds(repository.id)) {
      const fork = await this.#commits.named(id);
      const [forkOwner, forkName] = fork?.name.split("/") ?? [];
      if (fork === undefined || !same(owner, forkOwner)) continue;
      if (name === undefined || same(name, forkName)) return { repository: fork, branch, ref };
    }
    return undefined;
  }
}

function same(a: string, b: string | undefined): boolean {
  return a.toLowerCase() === b?.toLowerCase();
}
