/** Repositories, smart HTTP, ref updates, and commits the system writes. */
export { gitRoutes, type GitRoutesOptions } from "./routes.ts";
export { openRepositories, Repositories } from "./repositories.ts";
export type { CreateOptions, RepositoriesOptions, Repository } from "./repository.ts";
export { GitError, type GitErrorCode } from "./errors.ts";
export { Mirrors, openMirrors, type FetchOptions, type MirrorsOptions, type RemoteCopy } from "./mirrors.ts";
export {
  openRemoteCommits,
  RemoteCommits,
  type LearntRef,
  type RemoteCommitsOptions,
  type RemoteRepository,
} from "./remote-commits.ts";
export type { ObjectReader } from "./objects.ts";
export type { ChangedFile, CommitInfo, Signature, TreeEntry } from "./plumbing.ts";
export { noPushChecks, type Push, type PushCheckPort, type PushedUpdate, type PushVerdict } from "./ports.ts";
export { isProtectedBranch, type BranchProtection } from "./protection.ts";
export type { RefRefusal } from "./push-report.ts";
export type { RefUpdate } from "./update-ledger.ts";
export type { CommitRequest, MoveRequest } from "./system-commit.ts";
export type { EditableFiles } from "./edited-tree.ts";
export type { MaterialiseOptions } from "./materialise.ts";
export { branchOf, isObjectId, isRefName, zeroId } from "./names.ts";
export type { FileDifference } from "./differences.ts";
export type { TreeChange } from "./object-writer.ts";
export type { RemoteAccess, RemoteListing } from "./transfer.ts";
export type { Workshop } from "./workshop.ts";
