/** The files of a commit as something to edit, and the tree that comes of it. */
import { GitError } from "./errors.ts";
import { gitOutput, type GitRun } from "./git-process.ts";
import { objectReader } from "./objects.ts";

export interface EditableFiles {
  /** With the edits so far; undefined when there is no such file. */
  read(path: string): Promise<string | undefined>;
  /** Creates or replaces; an existing file keeps its mode. */
  write(path: string, text: string | Uint8Array): void;
  remove(path: string): void;
  /** Paths below `under`, with the edits so far, sorted. */
  list(under?: string): Promise<readonly string[]>;
}

export class EditedTree implements EditableFiles {
  readonly #run: GitRun;
  readonly #base: string | undefined;
  /** undefined: removed. */
  readonly #edits = new Map<string, Uint8Array | undefined>();

  /** @param run its environment must name an index file of its own */
  constructor(run: GitRun, base: string | undefined) {
    this.#run = run;
    this.#base = base;
  }

  async read(path: string): Promise<string | undefined> {
    if (this.#edits.has(path)) {
      const edited = this.#edits.get(path);
      return edited === undefined ? undefined : Buffer.from(edited).toString("utf8");
    }
    if (this.#base === undefined) return undefined;
    return (await objectReader(this.#run).readFile(this.#base, path))?.toString("utf8");
  }

  write(path: string, text: string | Uint8Array): void {
    this.#edits.set(requirePath(path), typeof text === "string" ? Buffer.from(text) : text);
  }

  remove(path: string): void {
    this.#edits.set(requirePath(path), undefined);
  }

  async list(under = ""): Promise<readonly string[]> {
    const folder = under.replace(/\/+$/, "");
    const paths = new Set(this.#base === undefined ? [] : await objectReader(this.#run).listFiles(this.#base, folder));
    for (const [path, content] of this.#edits) {
      if (folder !== "" && path !== folder && !path.startsWith(`${folder}/`)) continue;
      if (content === undefined) paths.delete(path);
      else paths.add(path);
    }
    return [...paths].sort();
  }

  /** Stores the edited tree; undefined when it equals the base's. */
  async writeTree(): Promise<string | undefined> {
    if (this.#edits.size === 0) return undefined;
    const before = this.#base === undefined ? undefined : await this.#treeOfBase(this.#base);
    if (this.#base !== undefined) await gitOutput(["read-tree", this.#base], this.#run);
    const input = (await this.#indexLines()).join("");
    await gitOutput(["update-index", "-z", "--add", "--replace", "--index-info"], { ...this.#run, input });
    const tree = (await gitOutput(["write-tree"], this.#run)).toString("utf8").trim();
    return tree === before ? undefined : tree;
  }

  /** Records of `update-index --index-info`; mode 0 removes. */
  async #indexLines(): Promise<readonly string[]> {
    const lines: string[] = [];
    const modes = await this.#modes();
    for (const [path, content] of this.#edits) {
      if (content === undefined) {
        lines.push(`0 ${"0".repeat(40)}\t${path}\0`);
        continue;
      }
      const blob = await gitOutput(["hash-object", "-w", "--stdin", "--no-filters"], { ...this.#run, input: content });
      lines.push(`${modes.get(path) ?? "100644"} ${blob.toString("utf8").trim()}\t${path}\0`);
    }
    return lines;
  }

  /** Modes of the files that the index has now. */
  async #modes(): Promise<ReadonlyMap<string, string>> {
    const modes = new Map<string, string>();
    if (this.#base === undefined) return modes;
    const output = await gitOutput(["ls-files", "-z", "--stage"], this.#run);
    for (const record of output.toString("utf8").split("\0")) {
      const tab = record.indexOf("\t");
      // A link that is written to becomes a file: its text is no longer a target.
      const mode = record.slice(0, 6);
      if (tab > 0 && mode !== "120000" && mode !== "160000") modes.set(record.slice(tab + 1), mode);
    }
    return modes;
  }

  async #treeOfBase(base: string): Promise<string> {
    return (await gitOutput(["rev-parse", `${base}^{tree}`], this.#run)).toString("utf8").trim();
  }
}

/** The path, if it lies inside a repository and outside its `.git`. Throws `git/bad-request`. */
export function requirePath(path: string): string {
  const steps = path.split("/");
  const usable = steps.every((step) => step !== "" && step !== "." && step !== ".." && step.toLowerCase() !== ".git");
  if (usable && !/[\0]/.test(path)) return path;
  throw new GitError("git/bad-request", `Cannot write "${path}": not a relative path inside the repository`);
}
