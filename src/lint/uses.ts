/** What a `uses:` names. */

export type Uses =
  | { readonly kind: "local"; readonly path: string }
  | { readonly kind: "docker"; readonly image: string; readonly tag?: string; readonly digest?: string }
  | {
      readonly kind: "repository";
      /** `owner/repo`, in lower case. */
      readonly slug: string;
      readonly owner: string;
      readonly repo: string;
      /** Of the action or workflow inside the repository. */
      readonly path: string;
      readonly ref?: string;
    };

/** Undefined when it is none of them, an expression for one. */
export function parseUses(text: string): Uses | undefined {
  if (text.startsWith("./") || text.startsWith("../") || text.startsWith("$/")) return { kind: "local", path: text };
  if (text.startsWith("docker://")) return { kind: "docker", ...parseImage(text.slice("docker://".length)) };
  const match = /^(?:https?:\/\/[^/\s]+\/)?([\w.-]+)\/([\w.-]+)((?:\/[^@\s]*)?)(?:@(\S+))?$/.exec(text);
  if (match === null) return undefined;
  const [, owner = "", repo = "", path = "", ref] = match;
  const slug = `${owner}/${repo}`.toLowerCase();
  return { kind: "repository", slug, owner, repo, path: path.slice(1), ...(ref === undefined ? {} : { ref }) };
}

export interface ImageReference {
  readonly image: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** A colon before the last slash belongs to a port. */
export function parseImage(text: string): ImageReference {
  const [name = "", digest] = text.split("@", 2);
  const colon = name.indexOf(":", name.lastIndexOf("/") + 1);
  const tag = colon < 0 ? {} : { tag: name.slice(colon + 1) };
  return { image: colon < 0 ? name : name.slice(0, colon), ...tag, ...(digest === undefined ? {} : { digest }) };
}

/** A whole commit, SHA-1 or SHA-256. */
export function isCommit(ref: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);
}

/** `owner/repo`, `owner/repo/path`, `owner/*`, `*`, each perhaps with `@ref`. */
export function matchesUses(pattern: string, uses: Extract<Uses, { kind: "repository" }>): boolean {
  const [name = "", ref] = pattern.toLowerCase().split("@", 2);
  if (ref !== undefined && ref !== uses.ref?.toLowerCase()) return false;
  if (name === "*") return true;
  if (name.endsWith("/*")) return `${uses.slug}/${uses.path}`.toLowerCase().startsWith(name.slice(0, -1));
  return name === uses.slug || name === `${uses.slug}/${uses.path}`.toLowerCase();
}
