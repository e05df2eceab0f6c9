/** The repositories of this server: where they are, what may be pushed to them, and the record of what was. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { errorMessage, migrate, TaskGroup, type Clock, type Ids, type Log, type SequenceLog } from "#lib";
import type { Kysely } from "kysely";
import { archiveCommit } from "./archive.ts";
import { GitError } from "./errors.ts";
import { checkGit, gitEnvironment, gitOutput, type GitHost } from "./git-process.ts";
import { installHooks } from "./hooks.ts";
import { maintain } from "./maintenance.ts";
import { materialise, type MaterialiseOptions } from "./materialise.ts";
import { isRefName, repositoryNameProblem } from "./names.ts";
import { ObjectPipes } from "./object-pipes.ts";
import { objectReader, type ObjectReader } from "./objects.ts";
import { pipedReader } from "./piped-reader.ts";
import type { ChangedFile, CommitInfo, TreeEntry } from "./plumbing.ts";
import { refuseCommands, refuseForced, rulesFor, type BranchProtection } from "./protection.ts";
import { changeKind, type RefCommand } from "./push-head.ts";
import { awaitRefLocks, removeQuarantines } from "./recovery.ts";
import { listRefs } from "./ref-process.ts";
import { toRepository, type CreateOptions, type RepositoriesOptions, type Repository } from "./repository.ts";
import { gitDatabase, migrations, type GitSchema, type RepositoryRow } from "./schema.ts";
import { SystemCommits, type CommitRequest, type MoveRequest } from "./system-commit.ts";
import { fetchFromFolder, fetchFromRemote, listRemote, type RemoteAccess, type RemoteListing } from "./transfer.ts";
import { UpdateLedger, type RefUpdate } from "./update-ledger.ts";
import { openWorkshop, type Workshop } from "./workshop.ts";

/** Opens the folder and settles what a former server left undecided. */
export async function openRepositories(options: RepositoriesOptions): Promise<Repositories> {
  const searchPath = options.searchPath ?? "/usr/local/bin:/usr/bin:/bin";
  await checkGit(searchPath, new AbortController().signal);
  await migrate(options.database, "git", migrations);
  const host: GitHost = { searchPath, hooks: join(options.folder, "hooks") };
  await installHooks(host.hooks);
  await mkdir(join(options.folder, "repositories"), { recursive: true });
  const repositories = new Repositories(options, host);
  await repositories.recover();
  return repositories;
}

export class Repositories implements AsyncDisposable {
  /** Every ref update, in the order they were recorded. */
  readonly updates: SequenceLog<RefUpdate>;
  /** For the routes of this room. */
  readonly ledger: UpdateLedger;
  readonly host: GitHost;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly tasks: TaskGroup;
  readonly #db: Kysely<GitSchema>;
  readonly #folder: string;
  readonly #log: Log;
  readonly #commits: SystemCommits;
  readonly #pipes: ObjectPipes;

  constructor(options: RepositoriesOptions, host: GitHost) {
    this.host = host;
    this.ids = options.ids;
    this.clock = options.clock;
    this.#log = options.log;
    this.#folder = join(options.folder, "repositories");
    this.#db = gitDatabase(options.database);
    this.ledger = new UpdateLedger(options.database, options.clock);
    this.updates = this.ledger.updates;
    this.tasks = new TaskGroup((error, name) => options.log.error("Background work of git failed", { error, name }));
    const { clock, ids, log } = options;
    this.#pipes = new ObjectPipes(clock);
    this.#commits = new SystemCommits({ host, ledger: this.ledger, clock, ids, log });
  }

  /** Throws `git/exists`, `git/bad-name`. */
  async create(name: string, options: CreateOptions = {}): Promise<Repository> {
    const defaultBranch = options.defaultBranch ?? "main";
    const problem = repositoryNameProblem(name);
    if (problem !== undefined) throw new GitError("git/bad-name", `Cannot create repository "${name}": ${problem}`);
    if (!isRefName(`refs/heads/${defaultBranch}`)) {
      throw new GitError("git/bad-name", `Cannot create repository "${name}": "${defaultBranch}" is not a branch name`);
    }
    if ((await this.get(name)) !== undefined) throw existsAlready(name);
    const id = `${name.toLowerCase().replaceAll("/", "-")}-${this.ids.suffix(6)}`;
    await this.#initialise(id, defaultBranch);
    const row: RepositoryRow = {
      id,
      name,
      default_branch: defaultBranch,
      description: options.description ?? "",
      created_at: this.clock.now().toString({ smallestUnit: "millisecond" }),
    };
    try {
      await this.#db.insertInto("git_repositories").values(row).execute();
    } catch (cause) {
      await rm(this.folderOf(id), { recursive: true, force: true });
      if (/UNIQUE/.test(errorMessage(cause))) throw existsAlready(name);
      throw cause;
    }
    return toRepository(row);
  }

  /** Its updates stay readable; its objects go. False when there was none. */
  async delete(name: string): Promise<boolean> {
    const repository = await this.get(name);
    if (repository === undefined) return false;
    await this.#db.transaction().execute(async (tx) => {
      await tx.deleteFrom("git_repositories").where("id", "=", repository.id).execute();
      await tx.deleteFrom("git_refs").where("repository_id", "=", repository.id).execute();
      await tx.deleteFrom("git_ref_intents").where("repository_id", "=", repository.id).execute();
      await tx.deleteFrom("git_protections").where("repository_id", "=", repository.id).execute();
    });
    this.#pipes.forget(this.folderOf(repository.id));
    await rm(this.folderOf(repository.id), { recursive: true, force: true });
    return true;
  }

  async list(): Promise<readonly Repository[]> {
    const rows = await this.#db.selectFrom("git_repositories").selectAll().orderBy("name").execute();
    return rows.map(toRepository);
  }

  async get(name: string): Promise<Repository | undefined> {
    const row = await this.#db.selectFrom("git_repositories").selectAll().where("name", "=", name).executeTakeFirst();
    return row === undefined ? undefined : toRepository(row);
  }

  /** By the id that is never used again. */
  async named(id: string): Promise<Repository | undefined> {
    const row = await this.#db.selectFrom("git_repositories").selectAll().where("id", "=", id).executeTakeFirst();
    return row === undefined ? undefined : toRepository(row);
  }

  /** The repository, or `git/not-found`. */
  async require(name: string): Promise<Repository> {
    const repository = await this.get(name);
    if (repository !== undefined) return repository;
    throw new GitError("git/not-found", `Cannot find repository "${name}": create it first`);
  }

  /** What clones check out, and what counts where nothing says a branch. */
  async setDefaultBranch(name: string, branch: string): Promise<void> {
    const { id } = await this.require(name);
    const ref = `refs/heads/${branch}`;
    if (!isRefName(ref)) throw new GitError("git/bad-name", `Cannot use "${branch}": not a branch name`);
    const run = { folder: this.folderOf(id), environment: gitEnvironment(this.host), signal: this.tasks.signal };
    await gitOutput(["symbolic-ref", "HEAD", ref], run);
    await this.#db.updateTable("git_repositories").set({ default_branch: branch }).where("id", "=", id).execute();
  }

  /** Adds the rule, or replaces the one for the same pattern. */
  async protect(name: string, rule: Partial<BranchProtection> & Pick<BranchProtection, "branch">): Promise<void> {
    const { id } = await this.require(name);
    const values = {
      allow_force_push: rule.allowForcePush === true ? 1 : 0,
      allow_deletions: rule.allowDeletions === true ? 1 : 0,
      require_pull_request: rule.requirePullRequest === true ? 1 : 0,
      required_checks: JSON.stringify(rule.requiredChecks ?? []),
    };
    await this.#db
      .insertInto("git_protections")
      .values({ repository_id: id, branch: rule.branch, ...values })
      .onConflict((conflict) => conflict.columns(["repository_id", "branch"]).doUpdateSet(values))
      .execute();
  }

  /** Removes the rule for exactly this pattern. False when there was none. */
  async unprotect(name: string, branch: string): Promise<boolean> {
    const { id } = await this.require(name);
    const result = await this.#db
      .deleteFrom("git_protections")
      .where("repository_id", "=", id)
      .where("branch", "=", branch)
      .executeTakeFirst();
    return Number(result.numDeletedRows) > 0;
  }

  async protections(name: string): Promise<readonly BranchProtection[]> {
    const { id } = await this.require(name);
    const rows = await this.#db.selectFrom("git_protections").selectAll().where("repository_id", "=", id).execute();
    return rows.map((row) => ({
      branch: row.branch,
      allowForcePush: row.allow_force_push === 1,
      allowDeletions: row.allow_deletions === 1,
      requirePullRequest: row.require_pull_request === 1,
      requiredChecks: JSON.parse(row.required_checks) as string[],
    }));
  }

  /** Names of the checks that have to pass before something is merged into the branch. */
  async requiredChecks(name: string, branch: string): Promise<readonly string[]> {
    const rules = rulesFor(`refs/heads/${branch}`, await this.protections(name));
    return [...new Set(rules.flatMap((rule) => rule.requiredChecks ?? []))];
  }

  /** Names and values of all refs. */
  async refs(name: string): Promise<ReadonlyMap<string, string>> {
    const { id } = await this.require(name);
    return await listRefs(this.host, this.folderOf(id));
  }

  /** Reads with a signal of the caller's; the methods below read until this object is disposed. */
  async reader(name: string, signal: AbortSignal = this.tasks.signal): Promise<ObjectReader> {
    const { id } = await this.require(name);
    const run = { folder: this.folderOf(id), environment: gitEnvironment(this.host) };
    return pipedReader(objectReader({ ...run, signal }), () => this.#pipes.for({ ...run, signal: this.tasks.signal }));
  }

  /** The files of a commit as a tar archive. */
  async archive(name: string, sha: string, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const { id } = await this.require(name);
    return archiveCommit({ folder: this.folderOf(id), environment: gitEnvironment(this.host), signal }, sha);
  }

  async resolve(name: string, revision: string): Promise<string | undefined> {
    return await (await this.reader(name)).resolve(revision);
  }

  async readTree(name: string, sha: string, path?: string): Promise<readonly TreeEntry[] | undefined> {
    return await (await this.reader(name)).readTree(sha, path);
  }

  async readFile(name: string, sha: string, path: string): Promise<Buffer | undefined> {
    return await (await this.reader(name)).readFile(sha, path);
  }

  async listFiles(name: string, sha: string, under?: string): Promise<readonly string[]> {
    return await (await this.reader(name)).listFiles(sha, under);
  }

  async log(name: string, revision: string, limit: number): Promise<readonly CommitInfo[]> {
    return await (await this.reader(name)).log(revision, limit);
  }

  async commitInfo(name: string, sha: string): Promise<CommitInfo | undefined> {
    return await (await this.reader(name)).commitInfo(sha);
  }

  async changedFiles(name: string, before: string, after: string): Promise<readonly ChangedFile[]> {
    return await (await this.reader(name)).changedFiles(before, after);
  }

  async isAncestor(name: string, ancestor: string, descendant: string): Promise<boolean> {
    return await (await this.reader(name)).isAncestor(ancestor, descendant);
  }

  /** Writes the files of a commit into a folder, which is created. */
  async materialise(name: string, sha: string, folder: string, options?: MaterialiseOptions): Promise<void> {
    const { id } = await this.require(name);
    const run = { folder: this.folderOf(id), environment: gitEnvironment(this.host), signal: this.tasks.signal };
    await materialise(run, sha, folder, options);
  }

  /** Reads, compares, merges and stores objects; moves no ref. */
  async workshop(name: string, signal: AbortSignal): Promise<Workshop> {
    const { id } = await this.require(name);
    return openWorkshop({ folder: this.folderOf(id), environment: gitEnvironment(this.host), signal });
  }

  /** Why somebody who may push must not do this to a ref: a reserved name, a protected branch. */
  async refusal(name: string, command: RefCommand, signal: AbortSignal): Promise<string | undefined> {
    const rules = await this.protections(name);
    const [refused] = refuseCommands([command], rules);
    if (refused !== undefined || changeKind(command) !== "update") return refused?.reason;
    const forced = !(await (await this.reader(name, signal)).isAncestor(command.before, command.after));
    return forced ? refuseForced([command.ref], rules)[0]?.reason : undefined;
  }

  /** Copies the objects of these commits out of another repository of this server. */
  async bring(name: string, from: string, ids: readonly string[], signal: AbortSignal): Promise<void> {
    const [target, source] = [await this.require(name), await this.require(from)];
    const run = { folder: this.folderOf(target.id), environment: gitEnvironment(this.host), signal };
    await fetchFromFolder(run, this.folderOf(source.id), ids);
  }

  async listRemote(name: string, access: RemoteAccess): Promise<RemoteListing> {
    return await listRemote(this.host, this.folderOf((await this.require(name)).id), access);
  }

  /** Copies the objects of these commits out of a repository elsewhere. Throws `git/remote`. */
  async bringRemote(name: string, access: RemoteAccess, ids: readonly string[]): Promise<void> {
    await fetchFromRemote(this.host, this.folderOf((await this.require(name)).id), access, ids);
  }

  /** Writes a commit on a branch; the new commit's id, or undefined when the edit changed nothing. */
  async commit(name: string, request: CommitRequest): Promise<string | undefined> {
    const repository = await this.require(name);
    return await this.#commits.commit({ ...repository, folder: this.folderOf(repository.id) }, request);
  }

  /** Moves, creates or deletes a ref as the system, on the record like a push. */
  async moveRef(name: string, request: MoveRequest): Promise<void> {
    const { id } = await this.require(name);
    await this.#commits.move({ id, name, folder: this.folderOf(id) }, request);
  }

  folderOf(id: string): string {
    return join(this.#folder, `${id}.git`);
  }

  /** Called once, before anything else runs. */
  async recover(): Promise<void> {
    const known = await this.list();
    const folders = new Set(known.map((repository) => `${repository.id}.git`));
    const present = await readdir(this.#folder);
    for (const name of present) {
      // Created but never recorded, or deleted but not wholly removed: nobody was told that it exists.
      if (!folders.has(name)) await rm(join(this.#folder, name), { recursive: true, force: true });
    }
    for (const repository of known) {
      if (present.includes(`${repository.id}.git`)) await this.#recoverOne(repository);
      else this.#log.error("The folder of a repository is missing", { repository: repository.name });
    }
    const { host, ledger } = this;
    const folderOf = async (name: string): Promise<string | undefined> => {
      const repository = await this.get(name);
      return repository === undefined ? undefined : this.folderOf(repository.id);
    };
    this.tasks.start("maintenance", (signal) => maintain({ host, ledger, log: this.#log, folderOf }, signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tasks[Symbol.asyncDispose]();
    this.#pipes[Symbol.dispose]();
  }

  async #recoverOne(repository: Repository): Promise<void> {
    const folder = this.folderOf(repository.id);
    await awaitRefLocks(folder, this.clock, this.#log, this.tasks.signal);
    await removeQuarantines(folder);
    const refs = await listRefs(this.host, folder);
    const rows = await this.ledger.reconcile(repository.id, refs);
    if (rows > 0) this.#log.info("Recorded ref updates that were under way", { repository: repository.name, rows });
  }

  async #initialise(id: string, defaultBranch: string): Promise<void> {
    const folder = this.folderOf(id);
    const run = { folder, environment: gitEnvironment(this.host), signal: this.tasks.signal };
    await gitOutput(["init", "--bare", "--quiet", "--template=", `--initial-branch=${defaultBranch}`], run);
  }
}

function existsAlready(name: string): GitError {
  return new GitError("git/exists", `Cannot create repository "${name}": it exists already`);
}
