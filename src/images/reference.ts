/** Names of images, as `docker pull` reads them. */
import { ImageError } from "./errors.ts";

export interface ImageReference {
  /** `docker.io`, `ghcr.io`, `localhost:5000`; never empty. */
  readonly host: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

const repositoryPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const digestPattern = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;
const hostPattern = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[a-fA-F0-9:]+\])(?::[0-9]{1,5})?$/;

/** Reads `[host/]repository[:tag][@digest]`. Throws `images/bad-reference` with what is wrong. */
export function parseImageReference(text: string): ImageReference {
  const [beforeDigest, digest] = splitOnce(text, "@");
  if (digest !== undefined && !digestPattern.test(digest)) throw bad(text, `"${digest}" is not a digest`);
  const slash = beforeDigest.indexOf("/");
  const first = slash === -1 ? "" : beforeDigest.slice(0, slash);
  const hasHost = first.includes(".") || first.includes(":") || first === "localhost" || first.endsWith("]");
  const host = hasHost ? first : "docker.io";
  const rest = hasHost ? beforeDigest.slice(slash + 1) : beforeDigest;
  const [name, tag] = splitOnce(rest, ":");
  if (tag !== undefined && !tagPattern.test(tag)) throw bad(text, `"${tag}" is not a tag`);
  if (!hostPattern.test(host)) throw bad(text, `"${host}" is not a host`);
  if (name === "") throw bad(text, "the name is empty");
  const repository = normalHost(host) === "docker.io" && !name.includes("/") ? `library/${name}` : name;
  if (!repositoryPattern.test(repository) || repository.length > 255) {
    throw bad(text, `"${name}" is not a repository name (lower-case letters, digits and . _ - / only)`);
  }
  return {
    host: normalHost(host),
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The text that reads back to the same reference. */
export function formatImageReference(reference: ImageReference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${reference.host}/${reference.repository}${tag}${digest}`;
}

/** What to ask the registry for: the digest wins over the tag, and no tag means `latest`. */
export function manifestReference(reference: ImageReference): string {
  return reference.digest ?? reference.tag ?? "latest";
}

/** `docker login` and credential files spell Docker Hub several ways. */
export function normalHost(host: string): string {
  const bare = host
    .replace(/^https?:\/\//, "")
    .replace(/\/.*$/, "")
    .toLowerCase();
  return bare === "index.docker.io" || bare === "registry-1.docker.io" || bare === "" ? "docker.io" : bare;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function bad(text: string, what: string): ImageError {
  return new ImageError("images/bad-reference", `Cannot read the image reference "${text}": ${what}`);
}
