/** Whether a checkout would bring a stranger's code to where the secrets of the repository are: pure. */
import { isObject } from "#lib";

interface WantedCheckout {
  /** `owner/repository` */
  readonly repository: string;
  readonly ref: string;
}

/**
 * Workflows of `pull_request_target` and of a `workflow_run` after a pull request run with the rights of the repository,
 * and so not with what the pull request of a fork holds, unless somebody asks for that in so many words. All that tells
 * them apart is what the event says: the fork's name, its commits, and the refs of pull requests.
 */
export function isUnsafeCheckout(event: string, payload: unknown, { repository, ref }: WantedCheckout): boolean {
  const head = headOf(event, payload);
  // A mirror has another number and perhaps another name here than there: what one host says is compared.
  const base = at(payload, "pull_request", "base", "repo") ?? at(payload, "repository");
  if (head === undefined || !isFork(head, base)) return false;
  const name = at(head.repository, "full_name");
  return (
    (typeof name === "string" && name.toLowerCase() === repository.toLowerCase()) ||
    /^refs\/pull\/\d+\/(?:head|merge)$/.test(ref) ||
    head.commits.some((commit) => typeof commit === "string" && commit.toLowerCase() === ref.toLowerCase())
  );
}

/**
 * What a step asks for, without blanks around it. No more is taken away than cannot be in the name of a branch: without
 * its first character, which is a mark that nobody sees, a fork's branch could be the commit of a pull request.
 */
export function trimRef(text: string): string {
  return text.replace(/^[\t\n\v\f\r ]+|[\t\n\v\f\r ]+$/g, "");
}

interface Head {
  readonly repository: unknown;
  readonly commits: readonly unknown[];
}

function headOf(event: string, payload: unknown): Head | undefined {
  if (event === "pull_request_target") {
    const pull = at(payload, "pull_request");
    const commits = [at(pull, "head", "sha"), at(pull, "merge_commit_sha")];
    return { repository: at(pull, "head", "repo"), commits };
  }
  if (event !== "workflow_run") return undefined;
  const run = at(payload, "workflow_run");
  const before = at(run, "event");
  if (typeof before !== "string" || !before.startsWith("pull_request")) return undefined;
  // After `pull_request_target`, `head_sha` is of the repository itself.
  const own = before === "pull_request_target" ? [] : [at(run, "head_sha")];
  return { repository: at(run, "head_repository"), commits: [at(run, "head_commit", "id"), ...own] };
}

/** Of a fork that is gone only its name is left. */
function isFork(head: Head, base: unknown): boolean {
  const [own, other] = [at(base, "id"), at(head.repository, "id")];
  if (typeof own === "number" && typeof other === "number") return own !== other;
  const [ownName, otherName] = [at(base, "full_name"), at(head.repository, "full_name")];
  if (typeof ownName !== "string" || typeof otherName !== "string") return false;
  return ownName.toLowerCase() !== otherName.toLowerCase();
}

function at(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((inner, key) => (isObject(inner) ? inner[key] : undefined), value);
}
