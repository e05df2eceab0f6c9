/** Commits that the system writes itself: an environment's new image, a rollback. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backoffDelayMs, KeyedLock, type Clock, type Ids, type Log } from "#lib";
import { EditedTree, type EditableFiles } from "./edited-tree.ts";
import { GitError } from "./errors.ts";
import { gitEnvironment, gitOutput, type GitHost, type GitRun } from "./git-process.ts";
import { isObjectId, isRefName, zeroId } from "./names.ts";
import { objectReader } from "./objects.ts";
import { startRefProcess } from "./ref-process.ts";
import type { UpdateLedger } from "./update-ledger.ts";

export interface CommitRequest {
  readonly branch: string;
  /** What a missing branch begins from; without it a missing branch begins with a commit that has no parent. */
  readonly from?: string;
  readonly author: { readonly name: string; readonly email: string };
  readonly message: string;
  /** Appended as `Name: value` lines. */
  readonly trailers?: Readonly<Record<string, string>>;
  /** Name of an Identity, for the record of the update. */
  readonly pusher: string;
  /** Called again, with the files as they are then, when somebody else moved the branch meanwhile. */
  readonly edit: (files: EditableFiles) => Promise<void> | void;
  /** Default 5. */
  readonly maxAttempts?: number;
  readonly signal: AbortSignal;
}

/** Where the commit goes. */
interface Target {
  readonly id: string;
  readonly name: string;
  readonly folder: string;
}

interface SystemCommitsOptions {
  readonly host: GitHost;
  readonly ledger: UpdateLedger;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

export interface MoveRequest {
  /** A full name, `refs/heads/main`. */
  readonly ref: string;
  /** A commit or tag that is in the repository; forty zeros delete the ref. */
  readonly after: string;
  /** The value it must have now; forty zeros: it must not exist. */
  readonly before: string;
  /** Name of an Identity, for the record of the update. */
  readonly pusher: string;
}

export class SystemCommits {
  readonly #options: SystemCommitsOptions;
  /** Our own commits wait for each other instead of conflicting. */
  readonly #locks = new KeyedLock();

  constructor(options: SystemCommitsOptions) {
    this.#options = options;
  }

  async commit(target: Target, request: CommitRequest): Promise<string | undefined> {
    const ref = `refs/heads/${request.branch}`;
    if (!isRefName(ref)) {
      throw new GitError("git/bad-name", `Cannot commit to "${request.branch}": not a branch name`);
    }
    return await this.#locks.run(`${target.id} ${ref}`, () => this.#attempts(target, ref, request));
  }

  /** Moves a ref as the system: protections are for pushes. Throws `git/ref-conflict` when it is not at `before`. */
  async move(target: Target, request: MoveRequest): Promise<void> {
    const { ref, before, after } = request;
    if (!isRefName(ref) || !isObjectId(before) || !isObjectId(after)) {
      throw new GitError("git/bad-request", `Cannot move "${ref}": a full ref name and two object ids are needed`);
    }
    const failure = await this.#move(target, request, request);
    if (failure === undefined) return;
    throw new GitError("git/ref-conflict", `Cannot move "${ref}" of "${target.name}": ${failure}`);
  }

  async #attempts(target: Target, ref: string, request: CommitRequest): Promise<string | undefined> {
    const { clock, ids, host } = this.#options;
    const maxAttempts = request.maxAttempts ?? 5;
    const environment = gitEnvironment(host);
    const run: GitRun = { folder: target.folder, environment, signal: request.signal };
    for (let attempt = 1; ; attempt++) {
      const base = await objectReader(run).resolve(ref);
      const sha = await this.#build(run, base, request);
      if (sha === undefined) return undefined;
      const failure = await this.#move(target, { ref, before: base ?? zeroId, after: sha }, request);
      if (failure === undefined) return sha;
      const now = await objectReader(run).resolve(ref);
      if (now === base) {
        throw new GitError("git/ref-refused", `Cannot move "${ref}" of "${target.name}": ${failure}`);
      }
      if (attempt >= maxAttempts) {
        const found = `it moved during each of ${maxAttempts} attempts; try again`;
        throw new GitError("git/ref-conflict", `Cannot commit to "${ref}" of "${target.name}": ${found}`);
      }
      const delay = backoffDelayMs({ initialMs: 5, maxMs: 200, factor: 2, jitter: 0.5 }, attempt, ids.random());
      await clock.sleep(delay, request.signal);
    }
  }

  /** Writes objects only; the commit's id, or undefined when its tree is that of `base`. */
  async #build(run: GitRun, base: string | undefined, request: CommitRequest): Promise<string | undefined> {
    const start = base ?? (request.from === undefined ? undefined : await this.#startOf(run, request.from));
    const scratch = await mkdtemp(join(tmpdir(), "tidegate-commit-"));
    try {
      const environment = { ...run.environment, GIT_INDEX_FILE: join(scratch, "index") };
      const files = new EditedTree({ ...run, environment }, start);
      await request.edit(files);
      const tree = await files.writeTree();
      if (tree === undefined) return undefined;
      return await this.#commitTree(run, tree, start, request);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async #startOf(run: GitRun, from: string): Promise<string> {
    const sha = await objectReader(run).resolve(from);
    if (sha !== undefined) return sha;
    throw new GitError("git/not-found", `Cannot begin a branch from "${from}": there is no such commit`);
  }

  async #commitTree(run: GitRun, tree: string, parent: string | undefined, request: CommitRequest): Promise<string> {
    const seconds = Math.floor(this.#options.clock.now().epochMilliseconds / 1000);
    const { name, email } = request.author;
    const environment = {
      ...run.environment,
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_AUTHOR_DATE: `@${seconds} +0000`,
      GIT_COMMITTER_NAME: name,
      GIT_COMMITTER_EMAIL: email,
      GIT_COMMITTER_DATE: `@${seconds} +0000`,
    };
    const parents = parent === undefined ? [] : ["-p", parent];
    const input = withTrailers(request.message, request.trailers ?? {});
    const output = await gitOutput(["commit-tree", tree, ...parents], { ...run, environment, input });
    return output.toString("utf8").trim();
  }

  /** Moves the ref through the hooks, as a push does; why git did not, or undefined when it did. */
  async #move(
    target: Target,
    move: { ref: string; before: string; after: string },
    request: { readonly pusher: string },
  ): Promise<string | undefined> {
    const { host, ledger, ids, log } = this.#options;
    const context = { repositoryId: target.id, push: ids.uuid(), pusher: request.pusher };
    const args = ["--git-dir", target.folder, "update-ref", "--stdin"];
    const { child, settled } = await startRefProcess(args, { host, ledger, log, folder: target.folder, context });
    child.stdout.resume();
    child.stdin?.end(`update ${move.ref} ${move.after} ${move.before}\n`);
    const { exitCode, stderr } = await settled;
    return exitCode === 0 ? undefined : stderr.trim();
  }
}

/** The message with trailers as its last paragraph. Values are one line: a second would read as another trailer. */
export function withTrailers(message: string, trailers: Readonly<Record<string, string>>): string {
  const body = message.trim();
  const lines = Object.entries(trailers).map(([name, value]) => `${name}: ${value.replace(/\s*\n\s*/g, " ").trim()}`);
  return lines.length === 0 ? `${body}\n` : `${body}\n\n${lines.join("\n")}\n`;
}
