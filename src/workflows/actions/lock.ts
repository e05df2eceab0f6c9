/**
 * `.tidegate/actions.lock`: which commit each reference stands for, and the digest of its files. Written by `tidegate
 * actions lock`, read by people too.
 */
import type { Checked, Location } from "#lib";
import { NodeReader } from "../parse/node-reader.ts";
import { readYamlTree, type YamlPair } from "../parse/yaml-tree.ts";
import { isCommitId, lockKey, parseActionReference, type ActionReference } from "./reference.ts";

export const actionLockPath = ".tidegate/actions.lock";

export interface LockEntry {
  /** `owner/repo@ref`, or with the URL of a host before it. */
  readonly key: string;
  readonly commit: string;
  /** `sha256:…`, see archive-digest.ts. */
  readonly digest: string;
}

export interface PlacedLockEntry extends LockEntry {
  readonly at: Required<Location>;
}

export type ActionLock = ReadonlyMap<string, PlacedLockEntry>;

export const emptyLock: ActionLock = new Map();

/** The value is there exactly when there are no problems: a lock that is half read would let things through. */
export function readActionLock(file: string, text: string): Checked<ActionLock> {
  const tree = readYamlTree(file, text);
  if (tree.value === undefined) return { problems: tree.problems };
  const reader = new NodeReader(file);
  const version = reader.get(tree.value, "version");
  if (reader.text(version) !== "1") {
    reader.error(
      version ?? tree.value,
      'Not a lock that this release reads: "version" must be 1. Lock again',
      "version",
    );
    return { problems: reader.problems };
  }
  const entries = new Map<string, PlacedLockEntry>();
  for (const pair of reader.pairs(reader.get(tree.value, "actions"))) {
    const entry = readEntry(reader, pair);
    if (entry === undefined) continue;
    if (entries.has(entry.key)) reader.error(pair.key, `"${entry.key}" is locked twice. Lock again`, "actions");
    entries.set(entry.key, entry);
  }
  return reader.problems.length > 0 ? { problems: reader.problems } : { value: entries, problems: [] };
}

function readEntry(reader: NodeReader, pair: YamlPair): PlacedLockEntry | undefined {
  const reference = parseActionReference(pair.key.value);
  const path = `actions.${pair.key.value}`;
  const commit = reader.text(reader.get(pair.value, "commit")) ?? "";
  const digest = reader.text(reader.get(pair.value, "digest")) ?? "";
  if (reference === undefined || reference.path !== "") {
    reader.error(pair.key, `"${pair.key.value}" is no owner/repo@ref. Lock again`, path);
  } else if (!isCommitId(commit)) {
    reader.error(pair.key, `"commit" must be a whole commit, not "${commit}". Lock again`, path);
  } else if (!/^sha256:[0-9a-f]{64}$/.test(digest)) {
    reader.error(pair.key, `"digest" must be sha256: and 64 digits, not "${digest}". Lock again`, path);
  } else return { key: lockKey(reference), commit, digest, at: reader.at(pair.key.start) };
  return undefined;
}

/** In the order of their keys, so that two people who lock the same get the same file. */
export function writeActionLock(entries: Iterable<LockEntry>): string {
  const sorted = [...entries].toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const lines = sorted.flatMap(({ key, commit, digest }) => [
    `  ${JSON.stringify(key)}:`,
    `    commit: "${commit}"`,
    `    digest: ${digest}`,
  ]);
  const head = "# Which commit each action and called workflow stands for. Written by: tidegate actions lock";
  return [head, "version: 1", entriesLine(sorted.length), ...lines, ""].join("\n");
}

function entriesLine(count: number): string {
  return count === 0 ? "actions: {}" : "actions:";
}

/** What a source says a reference is now. */
export interface NamedCommit {
  readonly kind: "branch" | "tag" | "commit";
  /** In full: `refs/tags/v1`; of a commit, its id. */
  readonly ref: string;
  readonly sha: string;
}

/**
 * Whether what a source says agrees with the lock. A branch moves, and the locked commit is what counts; a tag that
 * names another commit was moved by somebody, which is what a lock is there to notice.
 */
export function checkLock(
  reference: ActionReference,
  entry: PlacedLockEntry,
  found: NamedCommit,
):
  | { readonly kind: "agreed" }
  | { readonly kind: "locked-commit" }
  | { readonly kind: "refused"; readonly reason: string } {
  if (found.sha === entry.commit) return { kind: "agreed" };
  if (found.kind === "branch") return { kind: "locked-commit" };
  const { file, line, column } = entry.at;
  const name = `${reference.repository}@${reference.ref}`;
  const now = `the ${found.kind} is ${found.sha} now, and ${file}:${line}:${column} says ${entry.commit}`;
  return {
    kind: "refused",
    reason: `${now}. If the change is meant, write it down: tidegate actions lock --update ${name}`,
  };
}
