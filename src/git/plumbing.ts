/** What git's plumbing prints, as data. Pure. */

export interface Signature {
  readonly name: string;
  readonly email: string;
  /** RFC 3339 with the author's offset. */
  readonly date: string;
}

export interface CommitInfo {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Signature;
  readonly committer: Signature;
  /** Whole, without trailing newlines. */
  readonly message: string;
  /** First line of the message. */
  readonly subject: string;
}

/** For `git log -z --format=…`: fields by line, the message last, records by NUL. */
export const commitFormat = ["%H", "%T", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B"].join("%n");

export function parseCommits(output: string): readonly CommitInfo[] {
  return output
    .split("\0")
    .filter((record) => record !== "")
    .map((record) => {
      const [sha = "", tree = "", parents = "", an = "", ae = "", ad = "", cn = "", ce = "", cd = "", ...body] =
        record.split("\n");
      const message = body.join("\n").replace(/\n+$/, "");
      return {
        sha,
        tree,
        parents: parents.split(" ").filter((parent) => parent !== ""),
        author: { name: an, email: ae, date: ad },
        committer: { name: cn, email: ce, date: cd },
        message,
        subject: message.split("\n", 1)[0] ?? "",
      };
    });
}

export interface TreeEntry {
  readonly name: string;
  readonly type: "file" | "executable" | "symlink" | "folder" | "submodule";
  readonly sha: string;
  /** Bytes, for files and symlinks. */
  readonly size: number | undefined;
}

const typeByMode: Readonly<Record<string, TreeEntry["type"]>> = {
  "100644": "file",
  "100664": "file",
  "100755": "executable",
  "120000": "symlink",
  "040000": "folder",
  "160000": "submodule",
};

/** `git ls-tree -z -l`: mode, type, id and size, a tab, the name. */
export function parseTree(output: string): readonly TreeEntry[] {
  return output
    .split("\0")
    .filter((record) => record !== "")
    .map((record) => {
      const tab = record.indexOf("\t");
      const [mode = "", , sha = "", size = "-"] = record.slice(0, tab).split(/\s+/);
      return {
        name: record.slice(tab + 1),
        type: typeByMode[mode] ?? "file",
        sha,
        size: size === "-" ? undefined : Number(size),
      };
    });
}

export interface ChangedFile {
  readonly path: string;
  readonly status: "added" | "modified" | "deleted";
}

/** `git diff-tree -z --name-status --no-renames`: letter and path in turn. */
export function parseNameStatus(output: string): readonly ChangedFile[] {
  const parts = output.split("\0");
  const changes: ChangedFile[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const status = parts[index] === "A" ? "added" : parts[index] === "D" ? "deleted" : "modified";
    changes.push({ path: parts[index + 1] ?? "", status });
  }
  return changes;
}

/** `git for-each-ref --format='%(objectname) %(refname)'`. */
export function parseRefs(output: string): ReadonlyMap<string, string> {
  const refs = new Map<string, string>();
  for (const line of output.split("\n")) {
    const space = line.indexOf(" ");
    if (space > 0) refs.set(line.slice(space + 1), line.slice(0, space));
  }
  return refs;
}
