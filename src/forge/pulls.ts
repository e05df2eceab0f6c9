/**
 * Pull requests: their state here, their commits in git.
 *
 * The row is the truth and is written with its event in one transaction; `refs/pull/<number>/head` and `…/merge` follow
 * it. Whoever tells an event sets them first (`settleRefs`), so a crash between the two leaves nothing behind. A merge
 * moves the base branch first: dying after that, the record of the push says that the pull request is merged (`pushed`).
 */
import { errorCode, KeyedLock, type Clock, type Log } from "#lib";
import { ForgeError, invalid, notFound, type FieldProblem } from "./errors.ts";
import type { EventLog } from "./event-log.ts";
import { Forks } from "./forks.ts";
import { checkText, insertIssue, requireRow, stateValues } from "./issue-rows.ts";
import { mergeRefusal, type MergeMethod } from "./plan-merge.ts";
import { planPush, type PullReaction } from "./plan-push.ts";
import type { CheckResult, ChecksPort, CommitsPort, RepositoryRef } from "./ports.ts";
import { mergeColumns, PullBook, type ReviewerChange } from "./pull-book.ts";
import { buildMerge, testMerge } from "./pull-merge.ts";
import { openPullsAt, pullNumbered, pullsOf, pullsWithHead, savePull, type PullFilter } from "./pull-rows.ts";
import type { PullView } from "./pull-view.ts";
import type { Remotes } from "./remotes.ts";
import type { ForgeDatabase } from "./schema.ts";

export interface NewPull {
  readonly title: string;
  readonly body?: string | null | undefined;
  /** Name of a branch. */
  readonly base: string;
  /** `feature`, `ada:feature` or `ada/shop:feature`. */
  readonly head: string;
  readonly draft?: boolean | undefined;
}

export interface PullChange {
  readonly title?: string | undefined;
  readonly body?: string | null | undefined;
  readonly state?: "open" | "closed" | undefined;
  readonly base?: string | undefined;
  readonly draft?: boolean | undefined;
}

export interface MergeRequest {
  readonly method: MergeMethod;
  readonly title?: string | undefined;
  readonly message?: string | undefined;
  /** The head that whoever asks has seen. */
  readonly head?: string | undefined;
}

export interface PullsParts {
  readonly db: ForgeDatabase;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: EventLog;
  readonly commits: CommitsPort;
  readonly checks: ChecksPort;
  readonly remotes: Remotes;
}

const zero = "0".repeat(40);

export class Pulls {
  readonly #parts: PullsParts;
  readonly #book: PullBook;
  readonly forks: Forks;
  /** One change of a repository's pull requests at a time. */
  readonly #locks = new KeyedLock();

  constructor(parts: PullsParts) {
    this.#parts = parts;
    this.#book = new PullBook(parts);
    this.forks = new Forks(parts.db, parts.commits);
  }

  async create(repository: RepositoryRef, request: NewPull, author: string, signal: AbortSignal): Promise<PullView> {
    checkText("PullRequest", request);
    const { commits, remotes } = this.#parts;
    await remotes.requireOwn(repository);
    const base = await this.#branch(repository.name, request.base, "base", signal);
    const from = await this.forks.head(repository, request.head);
    const head = from === undefined ? undefined : await commits.read(from.repository.name, from.ref, signal);
    if (from === undefined || head === undefined) throw field("head", `There is no branch "${request.head}"`);
    if (from.repository.id !== repository.id) {
      await commits.bring(repository.name, from.repository.name, head, signal);
    }
    if (await commits.isAncestor(repository.name, head, base, signal)) {
      throw custom(`No commits between ${request.base} and ${request.head}`);
    }
    const merge = await testMerge(commits, repository.name, { base, head }, signal);
    const created = await this.#book.write(async (tx, nowMs) => {
      const place = { repository_id: from.repository.id, ref: from.branch, base: request.base };
      if (await openPullsAt(tx, repository.id, place)) {
        throw custom(`A pull request already exists for ${request.head}`);
      }
      const id = await insertIssue(tx, repository.id, { ...request, kind: "pull", author, nowMs });
      await tx
        .insertInto("forge_pulls")
        .values({
          issue_id: id,
          base_ref: request.base,
          base_sha: base,
          head_repository_id: from.repository.id,
          head_repository: from.repository.name,
          head_ref: from.branch,
          head_sha: head,
          ...mergeColumns(merge),
          draft: request.draft === true ? 1 : 0,
          merged_at: null,
          merged_by: null,
          merge_commit_sha: null,
        })
        .execute();
      const { number } = await requireRow(tx, id);
      return await this.#book.tell(tx, repository, number, author, { action: "opened" });
    });
    await this.settleRefs(repository, created, signal);
    return created;
  }

  async get(repositoryId: string, number: number): Promise<PullView | undefined> {
    return await this.#parts.db.transaction().execute((tx) => pullNumbered(tx, repositoryId, number));
  }

  async require(repositoryId: string, number: number): Promise<PullView> {
    const pull = await this.get(repositoryId, number);
    if (pull === undefined) throw notFound(`pull request #${number}`);
    return pull;
  }

  /** Newest first. */
  async list(repositoryId: string, filter: PullFilter = {}): Promise<readonly PullView[]> {
    return await this.#parts.db.transaction().execute((tx) => pullsOf(tx, repositoryId, filter));
  }

  /** Those of the repository whose head is this commit, now or when they ended. */
  async ofCommit(repositoryId: string, sha: string): Promise<readonly PullView[]> {
    return await this.#parts.db.transaction().execute((tx) => pullsWithHead(tx, repositoryId, sha));
  }

  async checks(repository: RepositoryRef, pull: PullView): Promise<readonly CheckResult[]> {
    return await this.#parts.checks.of(repository, pull.head.sha, pull.base.ref);
  }

  async update(
    repository: RepositoryRef,
    number: number,
    change: PullChange,
    actor: string,
    signal: AbortSignal,
  ): Promise<PullView> {
    checkText("PullRequest", change);
    const before = await this.require(repository.id, number);
    if (change.state !== undefined && change.state !== before.state) {
      if (before.mergedAt !== null) throw field("state", `Pull request #${number} is merged: it stays closed`);
      if (change.state === "closed") await this.#book.close(repository, number, actor);
      else await this.#reopen(repository, before, actor, signal);
    }
    await this.#edit(repository, before, change, actor, signal);
    await this.#book.setDraft(repository, before, change.draft, actor);
    return await this.require(repository.id, number);
  }

  async requestReviewers(
    repository: RepositoryRef,
    number: number,
    change: ReviewerChange,
    actor: string,
  ): Promise<PullView> {
    return await this.#book.requestReviewers(repository, number, change, actor);
  }

  /** Throws `forge/not-mergeable`, or `forge/conflict` when something moved meanwhile. */
  async merge(
    repository: RepositoryRef,
    number: number,
    request: MergeRequest,
    actor: string,
    signal: AbortSignal,
  ): Promise<PullView> {
    return await this.#locks.run(repository.id, async () => {
      const { commits, clock } = this.#parts;
      const pull = await this.#current(repository, number, signal);
      const refusal = mergeRefusal(pull, await this.checks(repository, pull), request.head);
      if (refusal !== undefined) {
        throw new ForgeError(refusal.kind === "moved" ? "forge/conflict" : "forge/not-mergeable", refusal.message);
      }
      const sha = await buildMerge(commits, clock, repository.name, pull, { ...request, actor }, signal);
      const ref = `refs/heads/${pull.base.ref}`;
      await this.#book.mergeBegins(pull, sha, actor);
      try {
        await commits.move(repository.name, { ref, before: pull.base.sha, after: sha, pusher: actor });
      } catch (cause) {
        if (errorCode(cause) === "forge/forbidden") throw cause;
        const message = "Base branch was modified. Review and try the merge again";
        throw new ForgeError("forge/conflict", message, { cause });
      }
      await this.#book.merged(repository, number, { base: pull.base.sha, sha, actor });
      return await this.require(repository.id, number);
    });
  }

  /**
   * A branch of some repository has moved, or is gone. May be told again.
   *
   * @param move `after` reads where the branch is by now; where no pull request is open it is not asked
   */
  async pushed(
    repository: RepositoryRef,
    move: { readonly branch: string; readonly after: () => Promise<string | undefined>; readonly pusher: string },
    signal: AbortSignal,
  ): Promise<void> {
    const owners = [repository, ...(await this.forks.parents(repository.id))];
    for (const owner of owners) {
      await this.#locks.run(owner.id, async () => {
        const watched = (await this.list(owner.id, { state: "open" })).map((pull) => ({
          ...pull,
          repositoryId: owner.id,
        }));
        if (watched.length === 0) return;
        const moved = { repositoryId: repository.id, branch: move.branch, after: await move.after() };
        const reactions = planPush(moved, watched);
        for (const reaction of reactions) await this.#react(owner, reaction, move.pusher, signal);
      });
    }
  }

  /** `refs/pull/<number>/head` and `…/merge` as the pull request has them. */
  async settleRefs(
    repository: RepositoryRef,
    { number }: Pick<PullView, "number">,
    signal: AbortSignal,
  ): Promise<void> {
    const { commits } = this.#parts;
    const pull = await this.get(repository.id, number);
    if (pull === undefined) return;
    const wanted = [["head", pull.head.sha] as const];
    const refs = pull.testMergeSha === null ? wanted : [...wanted, ["merge", pull.testMergeSha] as const];
    for (const [name, after] of refs) {
      const ref = `refs/pull/${number}/${name}`;
      const before = (await commits.read(repository.name, ref, signal)) ?? zero;
      if (before === after) continue;
      try {
        await commits.move(repository.name, { ref, before, after, pusher: "tidegate" });
      } catch (error) {
        // Somebody else settled it meanwhile.
        if ((await commits.read(repository.name, ref, signal)) !== after) throw error;
      }
    }
  }

  /** As it is now, whatever the record of pushes has not told yet. */
  async #current(repository: RepositoryRef, number: number, signal: AbortSignal): Promise<PullView> {
    const pull = await this.require(repository.id, number);
    if (pull.state === "closed") return pull;
    const base = await this.#parts.commits.read(repository.name, `refs/heads/${pull.base.ref}`, signal);
    if (base === undefined || base === pull.base.sha) return pull;
    await this.#look(repository, pull, base, "tidegate", signal);
    return await this.require(repository.id, number);
  }

  async #react(owner: RepositoryRef, reaction: PullReaction, pusher: string, signal: AbortSignal): Promise<void> {
    const { number } = reaction;
    if (reaction.kind === "close") return await this.#book.close(owner, number, pusher);
    const pull = await this.require(owner.id, number);
    if (reaction.kind === "look") return await this.#look(owner, pull, reaction.base, pusher, signal);
    await this.#synchronize(owner, pull, reaction.head, pusher, signal);
  }

  async #synchronize(
    owner: RepositoryRef,
    pull: PullView,
    head: string,
    pusher: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { commits } = this.#parts;
    // A push that another has overtaken by now: the newest counts, and is told by its own record.
    const found = await this.#parts.commits.find(pull.head.repository);
    if (!pull.sameRepository && found !== undefined) await commits.bring(owner.name, found.name, head, signal);
    const base = (await commits.read(owner.name, `refs/heads/${pull.base.ref}`, signal)) ?? pull.base.sha;
    const merge = await testMerge(commits, owner.name, { base, head }, signal);
    await this.#book.write(async (tx, nowMs) => {
      await savePull(tx, pull.id, { head_sha: head, base_sha: base, ...mergeColumns(merge) }, nowMs);
      await this.#book.tell(tx, owner, pull.number, pusher, { action: "synchronize", before: pull.head.sha });
    });
    await this.settleRefs(owner, pull, signal);
  }

  /** The base has moved to `base`. */
  async #look(owner: RepositoryRef, pull: PullView, base: string, pusher: string, signal: AbortSignal): Promise<void> {
    const { commits } = this.#parts;
    const begun = await this.#book.mergeBegun(pull);
    if (begun !== undefined && (await commits.isAncestor(owner.name, begun.sha, base, signal))) {
      return await this.#book.merged(owner, pull.number, { base: pull.base.sha, ...begun });
    }
    if (await commits.isAncestor(owner.name, pull.head.sha, base, signal)) {
      return await this.#book.merged(owner, pull.number, { base: pull.base.sha, sha: base, actor: pusher });
    }
    const merge = await testMerge(commits, owner.name, { base, head: pull.head.sha }, signal);
    await this.#book.write((tx, nowMs) => savePull(tx, pull.id, { base_sha: base, ...mergeColumns(merge) }, nowMs));
    await this.settleRefs(owner, pull, signal);
  }

  async #reopen(repository: RepositoryRef, pull: PullView, actor: string, signal: AbortSignal): Promise<void> {
    const { commits } = this.#parts;
    const base = await this.#branch(repository.name, pull.base.ref, "base", signal);
    const head = await commits.read(pull.head.repository, `refs/heads/${pull.head.ref}`, signal);
    if (head === undefined) throw field("state", `The branch "${pull.head.ref}" is gone: push it again first`);
    if (!pull.sameRepository) await commits.bring(repository.name, pull.head.repository, head, signal);
    const merge = await testMerge(commits, repository.name, { base, head }, signal);
    await this.#book.write(async (tx, nowMs) => {
      const place = { repository_id: pull.head.repositoryId, ref: pull.head.ref, base: pull.base.ref };
      if (await openPullsAt(tx, repository.id, place)) throw custom("Another pull request is open for these branches");
      const opened = stateValues("open", "reopened", nowMs);
      await tx.updateTable("forge_issues").set(opened).where("id", "=", pull.id).execute();
      await savePull(tx, pull.id, { base_sha: base, head_sha: head, ...mergeColumns(merge) }, nowMs);
      await this.#book.tell(tx, repository, pull.number, actor, { action: "reopened" });
    });
    await this.settleRefs(repository, pull, signal);
  }

  async #edit(
    repository: RepositoryRef,
    pull: PullView,
    change: PullChange,
    actor: string,
    signal: AbortSignal,
  ): Promise<void> {
    const title = change.title === undefined || change.title === pull.title ? undefined : change.title;
    const body = change.body === undefined || (change.body ?? "") === pull.body ? undefined : (change.body ?? "");
    const ref = change.base === undefined || change.base === pull.base.ref ? undefined : change.base;
    if (title === undefined && body === undefined && ref === undefined) return;
    const base = ref === undefined ? undefined : await this.#branch(repository.name, ref, "base", signal);
    const head = pull.head.sha;
    const merge =
      base === undefined ? undefined : await testMerge(this.#parts.commits, repository.name, { base, head }, signal);
    await this.#book.write(async (tx, nowMs) => {
      const text = { ...(title === undefined ? {} : { title }), ...(body === undefined ? {} : { body }) };
      if (title !== undefined || body !== undefined) {
        await tx.updateTable("forge_issues").set(text).where("id", "=", pull.id).execute();
      }
      const moved =
        merge === undefined || base === undefined ? {} : { base_ref: ref, base_sha: base, ...mergeColumns(merge) };
      await savePull(tx, pull.id, moved, nowMs);
      const changes = {
        ...(title === undefined ? {} : { title: pull.title }),
        ...(body === undefined ? {} : { body: pull.body }),
        ...(ref === undefined ? {} : { base: pull.base.ref }),
      };
      await this.#book.tell(tx, repository, pull.number, actor, { action: "edited", changes });
    });
    if (merge !== undefined) await this.settleRefs(repository, pull, signal);
  }

  async #branch(repository: string, branch: string, name: string, signal: AbortSignal): Promise<string> {
    const sha = await this.#parts.commits.read(repository, `refs/heads/${branch}`, signal);
    if (sha === undefined) throw field(name, `There is no branch "${branch}" in "${repository}"`);
    return sha;
  }
}

function field(name: string, message: string): ForgeError {
  return invalid("PullRequest", name, message);
}

function custom(message: string): ForgeError {
  const details: readonly FieldProblem[] = [{ resource: "PullRequest", field: "head", code: "custom", message }];
  return new ForgeError("forge/invalid", message, { details });
}
