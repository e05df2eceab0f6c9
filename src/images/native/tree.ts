/**
 * The file system of a build stage as a map from path to node, contents left where they are (the context folder, a
 * layer blob, memory). Paths have no leading slash; the root is the empty path.
 */
export type Content =
  | { readonly kind: "disk"; readonly path: string }
  | { readonly kind: "bytes"; readonly data: Uint8Array }
  | { readonly kind: "layer"; readonly layer: string; readonly name: string };

interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export type TreeNode =
  | (Attributes & { readonly kind: "file"; readonly size: number; readonly content: Content })
  | (Attributes & { readonly kind: "directory" })
  | (Attributes & { readonly kind: "symlink"; readonly target: string });

/** One member of a layer's tar, as the index of the layer keeps it. */
export type LayerMember =
  | { readonly kind: "node"; readonly path: string; readonly node: TreeNode }
  | { readonly kind: "hardlink"; readonly path: string; readonly target: string }
  | { readonly kind: "whiteout"; readonly path: string }
  | { readonly kind: "opaque"; readonly path: string };

const maxSymlinks = 40;

export class ImageTree {
  readonly #nodes: Map<string, TreeNode>;

  constructor(nodes: Iterable<readonly [string, TreeNode]> = []) {
    this.#nodes = new Map(nodes);
  }

  copy(): ImageTree {
    return new ImageTree(this.#nodes);
  }

  /** The node at a path that is already resolved; the root is always a directory. */
  get(path: string): TreeNode | undefined {
    return this.#nodes.get(path) ?? (path === "" ? { kind: "directory", mode: 0o755, uid: 0, gid: 0 } : undefined);
  }

  /** Puts a node in place of what was there; a directory over a directory keeps its children. */
  set(path: string, node: TreeNode): void {
    const before = this.#nodes.get(path);
    if (before?.kind === "directory" && node.kind !== "directory") this.removeBelow(path);
    this.#nodes.set(path, node);
  }

  removeBelow(path: string): void {
    const prefix = path === "" ? "" : `${path}/`;
    for (const other of this.#nodes.keys()) if (other.startsWith(prefix) && other !== path) this.#nodes.delete(other);
  }

  remove(path: string): void {
    this.removeBelow(path);
    this.#nodes.delete(path);
  }

  /** Paths at and below `path`, sorted. */
  below(path: string): string[] {
    const prefix = path === "" ? "" : `${path}/`;
    const found = [...this.#nodes.keys()].filter((other) => other === path || other.startsWith(prefix));
    return found.sort();
  }

  paths(): string[] {
    return [...this.#nodes.keys()].sort();
  }

  /** OCI image layout, "Applying Changesets". */
  apply(members: readonly LayerMember[]): void {
    // Whiteouts speak of lower layers only, whatever their place in the tar.
    for (const member of members) {
      if (member.kind === "whiteout") this.remove(member.path);
      if (member.kind === "opaque") this.removeBelow(member.path);
    }
    for (const member of members) {
      if (member.kind === "node") this.set(member.path, member.node);
      if (member.kind === "hardlink") {
        const target = this.#nodes.get(member.target);
        if (target !== undefined) this.set(member.path, target);
      }
    }
  }

  /** Follows symbolic links inside the tree; with `last` false the last part is kept as it is. */
  resolve(path: string, last = true): string {
    let left = normalParts(path);
    let done: string[] = [];
    let links = 0;
    while (left.length > 0) {
      const [part = "", ...rest] = left;
      left = rest;
      if (part === "..") {
        done = done.slice(0, -1);
        continue;
      }
      const here = [...done, part].join("/");
      const node = this.#nodes.get(here);
      const follow = node?.kind === "symlink" && (last || rest.length > 0) && ++links <= maxSymlinks;
      if (!follow) {
        done = [...done, part];
        continue;
      }
      if (node.target.startsWith("/")) done = [];
      left = [...targetParts(node.target), ...rest];
    }
    return done.join("/");
  }
}

function targetParts(target: string): string[] {
  return target.split("/").filter((part) => part !== "" && part !== ".");
}

function normalParts(path: string): string[] {
  return normalPath(path)
    .split("/")
    .filter((part) => part !== "");
}

/** Without leading slash, `.`, `..` or doubled slashes; never leaves the root. */
export function normalPath(path: string): string {
  const out: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") out.pop();
    else out.push(part);
  }
  return out.join("/");
}
