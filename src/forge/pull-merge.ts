/** The commits that merging makes. Objects only: nothing points at them yet. */
import { isJobName } from "#api";
import { toTimestamp, type Clock } from "#lib";
import { ForgeError } from "./errors.ts";
import type { CommitsPort, Person } from "./ports.ts";
import type { MergeMethod } from "./plan-merge.ts";
import type { PullView } from "./pull-view.ts";

export interface TestMerge {
  /** Null: the two have no commit in common. */
  readonly mergeable: boolean | null;
  readonly conflicts: readonly string[];
  readonly sha: string | null;
}

const self = { name: "Tidegate", email: "noreply@tidegate.invalid" };

/** What merging gives. The same two commits give the same commit each time, so looking again changes nothing. */
export async function testMerge(
  commits: CommitsPort,
  repository: string,
  { base, head }: { readonly base: string; readonly head: string },
  signal: AbortSignal,
): Promise<TestMerge> {
  if (!(await commits.related(repository, base, head, signal))) return { mergeable: null, conflicts: [], sha: null };
  const merged = await commits.mergeTrees(repository, base, head, signal);
  if (merged.kind === "conflict") return { mergeable: false, conflicts: merged.paths, sha: null };
  const newest = await commits.commit(repository, head, signal);
  const person = { ...self, date: newest?.committer.date ?? "1970-01-01T00:00:00Z" };
  const message = `Merge ${head} into ${base}`;
  const commit = { tree: merged.tree, parents: [base, head], message, author: person, committer: person };
  return { mergeable: true, conflicts: [], sha: await commits.write(repository, commit, signal) };
}

export interface MergeOrder {
  readonly method: MergeMethod;
  readonly title?: string | undefined;
  readonly message?: string | undefined;
  readonly actor: string;
}

/** The commit that the base branch is to move to. Throws `forge/not-mergeable`. */
export async function buildMerge(
  commits: CommitsPort,
  clock: Clock,
  repository: string,
  pull: PullView,
  order: MergeOrder,
  signal: AbortSignal,
): Promise<string> {
  const base = pull.base.sha;
  const head = pull.head.sha;
  const committer = { ...personOf(order.actor), date: toTimestamp(clock.now()) };
  if (order.method === "rebase") {
    const rebased = await commits.rebase(repository, base, head, committer, signal);
    if (rebased.kind === "clean") return rebased.head;
    const place = `${rebased.commit.slice(0, 12)} conflicts in ${rebased.paths.slice(0, 5).join(", ")}`;
    throw new ForgeError("forge/not-mergeable", `Pull request #${pull.number} cannot be rebased: ${place}`);
  }
  const merged = await commits.mergeTrees(repository, base, head, signal);
  if (merged.kind === "conflict") {
    const place = merged.paths.slice(0, 5).join(", ");
    throw new ForgeError("forge/not-mergeable", `Pull request #${pull.number} has conflicts in ${place}`);
  }
  const squash = order.method === "squash";
  const list = await commits.between(repository, base, head, signal);
  const first = list.at(-1);
  const message = squash ? squashMessage(pull, order, list) : mergeMessage(pull, order);
  const author =
    squash && first !== undefined && list.length > 0 ? { ...first.author, date: committer.date } : committer;
  const parents = squash ? [base] : [base, head];
  return await commits.write(repository, { tree: merged.tree, parents, message, author, committer }, signal);
}

/** Exported for its test. */
export function mergeMessage(pull: Pick<PullView, "number" | "head" | "title">, order: MergeOrder): string {
  const owner = pull.head.repository.split("/")[0] ?? "";
  const title = order.title ?? `Merge pull request #${pull.number} from ${owner}/${pull.head.ref}`;
  const body = order.message ?? (order.title === undefined ? pull.title : "");
  return body === "" ? title : `${title}\n\n${body}`;
}

/** Exported for its test. */
export function squashMessage(
  pull: Pick<PullView, "number" | "title">,
  order: MergeOrder,
  list: readonly { readonly message: string }[],
): string {
  const title = order.title ?? `${pull.title} (#${pull.number})`;
  // Of one commit its own words; of several a list of them, oldest first.
  const [only] = list;
  const bodies =
    list.length === 1 && only !== undefined
      ? only.message.split("\n").slice(1).join("\n").trim()
      : list
          .toReversed()
          .map((commit) => `* ${commit.message.trim()}`)
          .join("\n\n");
  const body = order.message ?? bodies;
  return body === "" ? title : `${title}\n\n${body}`;
}

function personOf(login: string): Omit<Person, "date"> {
  if (isJobName(login)) return { name: "github-actions[bot]", email: "github-actions[bot]@tidegate.invalid" };
  return { name: login, email: `${login.replaceAll(/[^\w.+-]/g, "-")}@users.noreply.tidegate.invalid` };
}
