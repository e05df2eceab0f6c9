/** What a secret or variable belongs to, and which of several with one name a job sees. Pure. */
import { SecretsError } from "./errors.ts";

export type Scope =
  | { readonly kind: "owner"; readonly owner: string }
  /** `owner/name`. */
  | { readonly kind: "repository"; readonly repository: string }
  | { readonly kind: "environment"; readonly repository: string; readonly environment: string }
  /** What the server itself needs to speak with the repository elsewhere that this one mirrors. No job reads it. */
  | { readonly kind: "mirror"; readonly repository: string };

/** Of a job: what it sees is looked up for these. */
export interface Reader {
  /** `owner/name`. */
  readonly repository: string;
  /** Absent or empty: the job belongs to no environment. */
  readonly environment?: string;
}

const part = "[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?";
const ownerPattern = new RegExp(`^${part}$`);
const repositoryPattern = new RegExp(`^${part}/${part}$`);
const longestEnvironment = 255;

/** As people write it: `acme`, `acme/shop`, `acme/shop, environment production`. */
export function scopeText(scope: Scope): string {
  switch (scope.kind) {
    case "owner":
      return scope.owner;
    case "repository":
      return scope.repository;
    case "environment":
      return `${scope.repository}, environment ${scope.environment}`;
    case "mirror":
      return `the mirror ${scope.repository}`;
  }
}

/**
 * One text for each scope, whatever its case, as names of owners, repositories and environments have none. A name of an
 * owner or a repository has no `#`, so the first one ends the repository.
 *
 * @throws SecretsError when it cannot be a scope
 */
export function scopeKey(scope: Scope): string {
  switch (scope.kind) {
    case "owner":
      requireMatch(ownerPattern, scope.owner, 'an owner, e.g. "acme"');
      return scope.owner.toLowerCase();
    case "repository":
      requireMatch(repositoryPattern, scope.repository, 'a repository, e.g. "acme/shop"');
      return scope.repository.toLowerCase();
    case "environment":
      requireMatch(repositoryPattern, scope.repository, 'a repository, e.g. "acme/shop"');
      requireEnvironment(scope.environment);
      return `${scope.repository}#${scope.environment}`.toLowerCase();
    case "mirror":
      requireMatch(repositoryPattern, scope.repository, 'a repository, e.g. "acme/shop"');
      // A name of an environment has no control character: none can be called like this.
      return `${scope.repository}#\u0001mirror`.toLowerCase();
  }
}

/** Scopes a job reads, those that win last: environment over repository over owner. */
export function scopesOf(reader: Reader): readonly Scope[] {
  const { repository, environment = "" } = reader;
  const owner = repository.split("/")[0] ?? "";
  return [
    { kind: "owner", owner },
    { kind: "repository", repository },
    ...(environment === "" ? [] : [{ kind: "environment", repository, environment } as const]),
  ];
}

function requireMatch(pattern: RegExp, text: string, wanted: string): void {
  if (pattern.test(text)) return;
  throw new SecretsError(
    "secrets/invalid-scope",
    `Cannot use "${text.slice(0, 200)}" as ${wanted}: it is not such a name`,
  );
}

function requireEnvironment(name: string): void {
  const fits = name.trim() === name && name !== "" && name.length <= longestEnvironment && !/\p{Cc}/u.test(name);
  if (fits && name.isWellFormed()) return;
  const message = `Cannot use "${name.slice(0, 50)}" as an environment: a name has 1 to ${longestEnvironment} characters, none of them a control character, and no blank at its ends`;
  throw new SecretsError("secrets/invalid-scope", message);
}
