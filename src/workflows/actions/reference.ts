/** What a `uses:` of another repository names. */

export interface ActionReference {
  /** `owner/repo`, as it is written. */
  readonly repository: string;
  /** Of the action inside the repository; empty for its root. */
  readonly path: string;
  /** A branch, a tag or a commit. */
  readonly ref: string;
  /** `https://codeberg.org`, where the reference is a whole URL. */
  readonly host?: string;
}

/** Undefined for what is no action of another repository: `./path`, `$/path`, `docker://image`, nonsense. */
export function parseActionReference(uses: string): ActionReference | undefined {
  const match = /^(https?:\/\/[^/@\s]+\/)?([\w.-]+\/[\w.-]+)((?:\/[^@\s/]+)*)@([^\s@]+)$/.exec(uses);
  if (match === null) return undefined;
  const [, url, repository = "", rest = "", ref = ""] = match;
  const path = rest.slice(1);
  const dots = /(?:^|\/)\.{1,2}(?:\/|$)/;
  if (dots.test(path) || dots.test(repository) || dots.test(ref) || ref.startsWith("-")) return undefined;
  return { repository, path, ref, ...(url === undefined ? {} : { host: url.slice(0, -1).toLowerCase() }) };
}

/** What a lock says something about: the repository and its ref, whatever the path inside. Case does not count. */
export function lockKey({ host, repository, ref }: ActionReference): string {
  return `${host === undefined ? "" : `${host}/`}${repository.toLowerCase()}@${ref}`;
}

/** A whole commit, SHA-1 or SHA-256. */
export function isCommitId(ref: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);
}

/** `owner/repo`, `owner/repo/path`, `owner/*`, `*`, each perhaps with `@ref`; `https://host/` may stand before it. */
export function matchesPattern(pattern: string, reference: ActionReference): boolean {
  const [, host, rest = ""] = /^(https?:\/\/[^/]+)?\/?(.*)$/.exec(pattern.toLowerCase()) ?? [];
  if (host !== undefined && host !== reference.host) return false;
  const [name = "", ref] = rest.split("@", 2);
  if (ref !== undefined && ref !== reference.ref.toLowerCase()) return false;
  const repository = reference.repository.toLowerCase();
  const whole = reference.path === "" ? repository : `${repository}/${reference.path.toLowerCase()}`;
  if (name === "*") return true;
  if (name.endsWith("/*")) return `${whole}/`.startsWith(name.slice(0, -1));
  return name === repository || name === whole;
}
