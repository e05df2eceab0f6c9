/** The commits of repositories as the forge wants them. */
import { isJobName } from "#api";
import { type CommitsPort, ForgeError } from "#forge";
import type { Repositories } from "#git";
import { changedWorkflow, workflowRefusal } from "./workflow-guard.ts";

/** More are not listed in the message of a squashed commit. */
const maxCommits = 250;
const lookMs = 60_000;

export function forgeCommits(repositories: Repositories): CommitsPort {
  return {
    find: (name) => repositories.get(name),
    named: (id) => repositories.named(id),
    async read(name, ref, signal) {
      if ((await repositories.get(name)) === undefined) return undefined;
      return await (await repositories.reader(name, signal)).resolve(ref);
    },
    commit: async (name, sha, signal) => await (await repositories.reader(name, signal)).commitInfo(sha),
    between: async (name, base, head, signal) =>
      await (await repositories.workshop(name, signal)).commits({ revision: head, without: base, limit: maxCommits }),
    isAncestor: async (name, ancestor, descendant, signal) =>
      await (await repositories.reader(name, signal)).isAncestor(ancestor, descendant),
    related: async (name, a, b, signal) =>
      (await (await repositories.reader(name, signal)).mergeBase(a, b)) !== undefined,
    mergeTrees: async (name, ours, theirs, signal) =>
      await (await repositories.workshop(name, signal)).mergeTrees(ours, theirs),
    rebase: async (name, base, head, committer, signal) =>
      await (await repositories.workshop(name, signal)).rebase(base, head, committer),
    write: async (name, commit, signal) => await (await repositories.workshop(name, signal)).writeCommit(commit),
    bring: (name, from, sha, signal) => repositories.bring(name, from, [sha], signal),
    async move(name, move) {
      const path = isJobName(move.pusher)
        ? await changedWorkflow(await repositories.reader(name, AbortSignal.timeout(lookMs)), move)
        : undefined;
      if (path !== undefined) throw new ForgeError("forge/forbidden", workflowRefusal(path));
      await repositories.moveRef(name, move);
    },
  };
}
