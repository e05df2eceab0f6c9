import type { FileTree, TreeEntry } from "./ports.ts";

/** A tree that is given whole, path → content. For content that is already in memory, and for tests. */
export function memoryTree(files: Readonly<Record<string, string | Uint8Array>>): FileTree {
  const contents = new Map(Object.entries(files));
  return {
    read: (path) => Promise.resolve(contents.get(path)),
    list: (folder) => Promise.resolve(entriesOf([...contents.keys()], folder)),
  };
}

function entriesOf(paths: readonly string[], folder: string): TreeEntry[] {
  const prefix = folder === "" ? "" : `${folder}/`;
  const entries = new Map<string, TreeEntry>();
  for (const path of paths) {
    if (!path.startsWith(prefix)) continue;
    const [name = "", ...deeper] = path.slice(prefix.length).split("/");
    entries.set(name, { name, type: deeper.length > 0 ? "folder" : "file" });
  }
  return [...entries.values()];
}
