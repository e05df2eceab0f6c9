/** What rendering needs of the world: a read-only tree of files, be it a folder or the tree of a commit. */

export interface TreeEntry {
  readonly name: string;
  readonly type: "file" | "folder";
}

/** Paths are relative to the root, separated by `/`; `""` is the root itself. Nothing outside the root is reachable. */
export interface FileTree {
  /** The file's content, or undefined when there is no such file (a folder is not a file). */
  read(path: string): Promise<string | Uint8Array | undefined>;
  /** The folder's entries in any order; empty when there is no such folder. */
  list(folder: string): Promise<readonly TreeEntry[]>;
}
