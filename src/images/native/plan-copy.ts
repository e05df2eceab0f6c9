/** What a COPY or ADD puts where: pure, from the source tree and the stage's tree to the nodes of one new layer. */
import { globExpression, ignoreRules } from "../dockerignore.ts";
import { InstructionProblem } from "./instruction-problem.ts";
import { ImageTree, normalPath, type TreeNode } from "./tree.ts";

interface Ownership {
  readonly uid: number;
  readonly gid: number;
}

export interface CopyRequest {
  readonly source: ImageTree;
  /** Where the sources are, for messages: `the build context` or `stage "build"`. */
  readonly sourceName: string;
  readonly sources: readonly string[];
  readonly inline: readonly { readonly name: string; readonly content: string }[];
  readonly destination: string;
  readonly workdir: string;
  readonly stage: ImageTree;
  readonly owner: Ownership;
  readonly mode: number | undefined;
  readonly exclude: readonly string[];
}

/** The nodes of the layer, parents that are missing included. */
export function planCopy(request: CopyRequest): Map<string, TreeNode> {
  const found = request.sources.flatMap((pattern) => matchSources(request, pattern));
  const count = found.length + request.inline.length;
  const target = new LayerDraft(request);
  if (count > 1 && !target.namedFolder) {
    throw new InstructionProblem(
      `Cannot copy ${count} sources to "${request.destination}": with several sources the destination must end with /`,
    );
  }
  for (const path of found) {
    const node = request.source.get(path);
    if (node?.kind === "directory") copyFolder(request, path, target);
    else if (node !== undefined) target.addNamed(path, node);
  }
  for (const { name, content } of request.inline) {
    const data = Buffer.from(content);
    target.addNamed(name, {
      kind: "file",
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: data.length,
      content: { kind: "bytes", data },
    });
  }
  return target.nodes;
}

/** Nodes put under a folder with their own owners: what unpacking an archive does. */
export function planUnpack(request: CopyRequest, members: ReadonlyMap<string, TreeNode>): Map<string, TreeNode> {
  const target = new LayerDraft(request);
  for (const [path, node] of [...members].sort(([a], [b]) => (a < b ? -1 : 1))) target.addBelow(path, node, false);
  return target.nodes;
}

function matchSources(request: CopyRequest, pattern: string): string[] {
  const wanted = normalPath(pattern);
  if (/[*?[]/.test(wanted)) {
    const expression = globExpression(wanted);
    const matches = request.source.paths().filter((path) => expression.test(path));
    if (matches.length > 0) return matches.map((path) => request.source.resolve(path));
  } else {
    const path = request.source.resolve(wanted);
    if (path === "" || request.source.get(path) !== undefined || hasChildren(request.source, path)) return [path];
  }
  throw new InstructionProblem(
    `"${pattern}" was not found in ${request.sourceName}: check the path${
      request.sourceName === "the build context" ? " and that .dockerignore does not leave it out" : ""
    }`,
  );
}

/** A folder that `.dockerignore` leaves out may still hold files that came back with `!`. */
function hasChildren(tree: ImageTree, path: string): boolean {
  return tree.below(path).length > 0;
}

function copyFolder(request: CopyRequest, folder: string, target: LayerDraft): void {
  const excluded = request.exclude.length === 0 ? undefined : ignoreRules(request.exclude);
  const root = request.source.get(folder);
  target.addFolder(root?.mode ?? 0o755);
  for (const path of request.source.below(folder)) {
    const relative = folder === "" ? path : path.slice(folder.length + 1);
    const node = request.source.get(path);
    if (relative === "" || node === undefined || excluded?.ignores(relative) === true) continue;
    target.addBelow(relative, node, true);
  }
}

/** Collects nodes at their final, link-resolved places. */
class LayerDraft {
  readonly nodes = new Map<string, TreeNode>();
  readonly #request: CopyRequest;
  readonly #destination: string;
  /** The destination is written as a folder, or is one. */
  readonly namedFolder: boolean;

  constructor(request: CopyRequest) {
    this.#request = request;
    const { destination, workdir, stage } = request;
    const full = destination.startsWith("/") ? destination : `${workdir}/${destination}`;
    this.#destination = stage.resolve(normalPath(full));
    this.namedFolder = /(?:^|\/)\.?$/.test(destination) || stage.get(this.#destination)?.kind === "directory";
  }

  /** A single file keeps its name in a folder, or takes the destination's. */
  addNamed(source: string, node: TreeNode): void {
    if (this.namedFolder) this.addBelow(source.slice(source.lastIndexOf("/") + 1), node, true);
    else this.#put(this.#destination, node, true);
  }

  addFolder(mode: number): void {
    if (this.#destination !== "") this.#put(this.#destination, { kind: "directory", mode, uid: 0, gid: 0 }, true);
  }

  addBelow(relative: string, node: TreeNode, owned: boolean): void {
    const path = this.#destination === "" ? relative : `${this.#destination}/${relative}`;
    this.#put(this.#request.stage.resolve(path, false), node, owned);
  }

  #put(path: string, node: TreeNode, owned: boolean): void {
    const existing = this.nodes.get(path) ?? this.#request.stage.get(path);
    if (node.kind === "directory" && existing?.kind === "directory") return;
    if (node.kind !== "directory" && existing?.kind === "directory") {
      throw new InstructionProblem(`Cannot write the file "/${path}": there is a folder of that name in the image`);
    }
    this.#addParents(path);
    const mode = this.#request.mode !== undefined && node.kind !== "symlink" && owned ? this.#request.mode : node.mode;
    this.nodes.set(path, owned ? { ...node, ...this.#request.owner, mode } : node);
  }

  #addParents(path: string): void {
    for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) {
      const parent = path.slice(0, end);
      const existing = this.nodes.get(parent) ?? this.#request.stage.get(parent);
      if (existing?.kind === "file") {
        throw new InstructionProblem(`Cannot write "/${path}": "/${parent}" is a file in the image`);
      }
      if (existing === undefined) this.nodes.set(parent, { kind: "directory", mode: 0o755, ...this.#request.owner });
    }
  }
}
