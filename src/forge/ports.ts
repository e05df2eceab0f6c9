/** What the forge needs from others, named for the need. */

/** A repository, by the id that is never used again and by its name `owner/name`. */
export interface RepositoryRef {
  readonly id: string;
  readonly name: string;
}

export interface Person {
  readonly name: string;
  readonly email: string;
  /** RFC 3339. */
  readonly date: string;
}

interface CommitText {
  readonly sha: string;
  readonly author: Person;
  readonly committer: Person;
  readonly message: string;
}

type MergeResult =
  | { readonly kind: "clean"; readonly tree: string }
  | { readonly kind: "conflict"; readonly paths: readonly string[] };

type RebaseResult =
  | { readonly kind: "clean"; readonly head: string }
  | { readonly kind: "conflict"; readonly commit: string; readonly paths: readonly string[] };

interface RefMove {
  readonly ref: string;
  /** Forty zeros: it must not exist. */
  readonly before: string;
  readonly after: string;
  /** Name of an Identity. */
  readonly pusher: string;
}

/** The commits of repositories, which are named `owner/name`. Object ids are whole. */
export interface CommitsPort {
  find(repository: string): Promise<(RepositoryRef & { readonly defaultBranch: string }) | undefined>;
  /** By its id. */
  named(id: string): Promise<RepositoryRef | undefined>;
  /** What a full ref points at; undefined when there is no such ref. */
  read(repository: string, ref: string, signal: AbortSignal): Promise<string | undefined>;
  commit(repository: string, sha: string, signal: AbortSignal): Promise<CommitText | undefined>;
  /** Commits of `head` that `base` has not, newest first. */
  between(repository: string, base: string, head: string, signal: AbortSignal): Promise<readonly CommitText[]>;
  isAncestor(repository: string, ancestor: string, descendant: string, signal: AbortSignal): Promise<boolean>;
  related(repository: string, a: string, b: string, signal: AbortSignal): Promise<boolean>;
  mergeTrees(repository: string, ours: string, theirs: string, signal: AbortSignal): Promise<MergeResult>;
  rebase(repository: string, base: string, head: string, committer: Person, signal: AbortSignal): Promise<RebaseResult>;
  write(
    repository: string,
    commit: {
      readonly tree: string;
      readonly parents: readonly string[];
      readonly message: string;
      readonly author: Person;
      readonly committer: Person;
    },
    signal: AbortSignal,
  ): Promise<string>;
  /** Copies a commit with all it stands on out of another repository of this server. */
  bring(repository: string, from: string, sha: string, signal: AbortSignal): Promise<void>;
  /** On the record, as a push is. Throws when the ref is not at `before`. */
  move(repository: string, move: RefMove): Promise<void>;
}

/** A check a branch asks for before something is merged into it, and how it stands for a commit. */
export interface CheckResult {
  readonly name: string;
  readonly required: boolean;
  /** `expected`: required, and nothing has been said yet. */
  readonly state: "success" | "failure" | "pending" | "expected";
  readonly description: string;
  readonly url?: string;
}

/** What is known of a commit by all that check it: statuses, check runs, the jobs of workflows. */
export interface ChecksPort {
  of(repository: RepositoryRef, sha: string, baseBranch: string): Promise<readonly CheckResult[]>;
}
