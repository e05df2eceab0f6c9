/** Names, tags and digests of the OCI distribution specification. Pure. */
import { RegistryError } from "./errors.ts";

const nameStep = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const namePattern = new RegExp(`^${nameStep}(?:/${nameStep})*$`);
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const digestPattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export type Algorithm = "sha256" | "sha512";

export function isRepositoryName(name: string): boolean {
  return name.length <= 200 && namePattern.test(name);
}

export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

/** Throws DIGEST_INVALID. */
export function requireDigest(text: string): string {
  if (isDigest(text)) return text;
  const wanted = "it must be sha256:<64 hex digits> or sha512:<128 hex digits>";
  throw new RegistryError("DIGEST_INVALID", 400, `Cannot read digest "${text.slice(0, 160)}": ${wanted}`);
}

export function algorithmOf(digest: string): Algorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

export function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** What permissions are given on: `owner/repo` of `owner/repo/any/thing`. */
export function resourceOf(name: string): string {
  return name.split("/").slice(0, 2).join("/");
}
