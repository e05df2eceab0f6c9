/** What GitOps needs of the world outside the cluster. */
import type { FileTree } from "#render";

/** Repositories by URL: ours, and those of anybody else that git can reach. Failures are thrown with a message for people. */
export interface SourcePort {
  /** The commit that a branch, tag, `HEAD` or commit id names now. `targetRevision` is `HEAD` when the spec names none. */
  resolve(repoURL: string, targetRevision: string, signal: AbortSignal): Promise<{ readonly revision: string }>;
  /** The files of a commit. The tree's root is the repository's; `path` says which folder will be read first. */
  open(repoURL: string, revision: string, path: string, signal: AbortSignal): Promise<FileTree>;
  /** Whether the URL means the repository that a push was announced for. */
  matches(repoURL: string, pushedRepository: string): boolean;
  /** Whether every push to the URL is announced by `notifyPush`, so that nobody needs to ask it for news. */
  announces(repoURL: string): boolean;
}
