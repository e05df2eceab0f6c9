/** Names that come from outside: repositories, refs, object ids. Pure. */

const part = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?$/;

/** Why the name cannot be an `owner/repo`, or undefined when it can. */
export function repositoryNameProblem(name: string): string | undefined {
  const [owner, repository, ...rest] = name.split("/");
  if (owner === undefined || repository === undefined || rest.length > 0) {
    return 'must be "owner/repo", one slash';
  }
  for (const text of [owner, repository]) {
    if (!part.test(text) || text.includes("..")) {
      return "each part must be 1 to 100 letters, digits, '.', '_' or '-', begin with a letter or digit and not end with '.'";
    }
  }
  return /\.(?:git|lock|wiki)$/i.test(repository) ? "must not end with .git, .lock or .wiki" : undefined;
}

/** The object id of "nothing": the old side of a creation and the new side of a deletion. */
export const zeroId = "0".repeat(40);

const objectId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

export function isObjectId(text: string): boolean {
  return objectId.test(text);
}

/** A subset of git-check-ref-format(1): enough that a name can neither leave `refs/` nor read as an option. */
export function isRefName(ref: string): boolean {
  if (!ref.startsWith("refs/") || ref.length > 512 || ref.endsWith("/") || ref.endsWith(".")) return false;
  // oxlint-disable-next-line no-control-regex -- git forbids exactly these in a ref name
  if (/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\//.test(ref)) return false;
  return ref.split("/").every((step) => step !== "" && !step.startsWith(".") && !step.endsWith(".lock"));
}

/** `main` of `refs/heads/main`, or undefined when the ref is not a branch. */
export function branchOf(ref: string): string | undefined {
  return ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : undefined;
}
