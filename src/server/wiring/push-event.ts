import { isJobName } from "#api";
import type { RefUpdate, Repositories } from "#git";
import type { WorkflowEvent } from "#workflows";

/** Where the default branch of the repository stands; undefined while it has no commit. */
export type DefaultHead = { readonly ref: string; readonly sha: string } | undefined;

/** What a moved ref leads to: an annotated tag points at an object of its own. Undefined: at no commit. */
export async function commitOf(
  repositories: Pick<Repositories, "resolve">,
  { repository, ref, after }: RefUpdate,
): Promise<string | undefined> {
  const isTag = ref.startsWith("refs/tags/") && !/^0+$/.test(after);
  return isTag ? await repositories.resolve(repository, after) : after;
}

/**
 * The event that a moved ref is to workflows; its id makes telling it twice harmless. Undefined for a deletion.
 *
 * @param commit as `commitOf` has it
 */
export function pushEvent(update: RefUpdate, commit: string): WorkflowEvent | undefined {
  if (/^0+$/.test(update.after) || refKind(update.ref) === undefined) return undefined;
  return {
    id: `push:${update.sequence}`,
    name: "push",
    repository: update.repository,
    ref: update.ref,
    sha: commit,
    before: update.before,
    actor: update.pusher,
    payload: { forced: update.forced },
    ...byJob(update.pusher),
  };
}

/** `create` or `delete`, for a branch or tag that came into being or went. */
export function refEvent(update: RefUpdate, commit: string, head: DefaultHead): WorkflowEvent | undefined {
  const kind = refKind(update.ref);
  const created = /^0+$/.test(update.before);
  const deleted = /^0+$/.test(update.after);
  if (kind === undefined || created === deleted) return undefined;
  // What is gone has no files: the default branch says what its end starts.
  const at = created ? { ref: update.ref, sha: commit } : head;
  if (at === undefined) return undefined;
  const name = created ? "create" : "delete";
  return {
    id: `${name}:${update.sequence}`,
    name,
    repository: update.repository,
    ...at,
    actor: update.pusher,
    ...byJob(update.pusher),
    payload: {
      ref: update.ref.replace(/^refs\/(heads|tags)\//, ""),
      ref_type: kind,
      master_branch: head?.ref.replace("refs/heads/", "") ?? "",
      pusher_type: "user",
    },
  };
}

export function byJob(name: string): { readonly byJob?: true } {
  return isJobName(name) ? { byJob: true } : {};
}

function refKind(ref: string): "branch" | "tag" | undefined {
  if (ref.startsWith("refs/heads/")) return "branch";
  return ref.startsWith("refs/tags/") ? "tag" : undefined;
}
