/** What secrets and variables may be called and hold: GitHub's rules. Pure. */
import { maxEntryBytes } from "#api";
import { SecretsError } from "./errors.ts";
import { type Scope, scopeText } from "./scope.ts";

export type EntryKind = "secret" | "variable";

export const limits = {
  /** UTF-8 bytes of one value. */
  valueBytes: maxEntryBytes,
  /** Of a kind in one scope. */
  entriesPerScope: 100,
  /** UTF-16 units of all variables of one scope together: every run keeps a copy of those it saw. */
  variablesLength: 256 * 1024,
} as const;

const longestName = 255;

/**
 * The name in upper case, as it is kept: `secrets.npm_token` and `secrets.NPM_TOKEN` are the same to a workflow.
 *
 * @throws SecretsError when it cannot be one
 */
export function entryName(kind: EntryKind, text: string): string {
  const name = text.toUpperCase();
  const refuse = (reason: string): never => {
    throw new SecretsError("secrets/invalid-name", `Cannot name a ${kind} "${text.slice(0, 100)}": ${reason}`);
  };
  if (!/^[A-Z_][A-Z0-9_]*$/.test(name))
    refuse("a name has letters, digits and _ only, and does not begin with a digit");
  if (name.startsWith("GITHUB_")) refuse("names that begin with GITHUB_ are taken by what every job has");
  if (name.length > longestName) refuse(`it has ${name.length} characters, and at most ${longestName} are possible`);
  return name;
}

/** @throws SecretsError, which does not quote the value */
export function checkValue(kind: EntryKind, name: string, value: string): void {
  const what = `Cannot set ${kind} "${name}"`;
  if (kind === "secret" && value === "") {
    throw new SecretsError("secrets/invalid-value", `${what}: its value is empty. Delete it to have none`);
  }
  if (value.includes("\0") || !value.isWellFormed()) {
    const message = `${what}: its value is not text, which no environment variable could hold. Encode it, e.g. with base64`;
    throw new SecretsError("secrets/invalid-value", message);
  }
  const bytes = Buffer.byteLength(value);
  if (bytes > limits.valueBytes) {
    const message = `${what}: its value has ${bytes} bytes, and at most ${limits.valueBytes} (48 KiB) are possible. Keep a larger one encrypted in the repository, and its key as a secret`;
    throw new SecretsError("secrets/too-large", message);
  }
}

/** @throws SecretsError when one more entry does not fit beside the `others` */
export function checkRoom(kind: EntryKind, name: string, scope: Scope, others: number): void {
  if (others < limits.entriesPerScope) return;
  const message = `Cannot set ${kind} "${name}" of ${scopeText(scope)}: it has ${others} already, and at most ${limits.entriesPerScope} are possible`;
  throw new SecretsError("secrets/too-large", message);
}

export function noSuchEntry(kind: EntryKind, name: string, scope: Scope): SecretsError {
  return new SecretsError(
    "secrets/not-found",
    `Cannot delete ${kind} "${name}": ${scopeText(scope)} has none of this name`,
  );
}
