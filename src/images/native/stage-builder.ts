/** Carries one stage from its base through its instructions. */
import { readFile, stat } from "node:fs/promises";
import { expandHeredoc, expandWord, type Lookup } from "../dockerfile/expand.ts";
import type { ArgInstruction, CopyInstruction, Instruction } from "../dockerfile/instruction.ts";
import { applyMetadata, isMetadata } from "./apply-metadata.ts";
import type { BaseImage } from "./base-image.ts";
import type { HistoryEntry, ImageConfig, ImageLayer, RunConfig } from "./image-config.ts";
import { InstructionProblem } from "./instruction-problem.ts";
import { extractContents, isTar, readMembers } from "./layer-reader.ts";
import { writeLayer } from "./layer-writer.ts";
import { parseOwner } from "./owner.ts";
import { planCopy, planUnpack, type CopyRequest } from "./plan-copy.ts";
import { addProblem, runMessage } from "./stage-order.ts";
import { ImageTree, normalPath, type TreeNode } from "./tree.ts";

/** What COPY --from reads: a finished stage, a pulled image, or the build context. */
export interface CopySource {
  readonly tree: ImageTree;
  readonly name: string;
}

export interface StageSurroundings {
  readonly escape: string;
  readonly created: string;
  readonly mtimeSeconds: number;
  readonly blobsFolder: string;
  /** Contents taken out of layers, kept until the build ends. */
  readonly spoolFolder: string;
  readonly globalArgs: ReadonlyMap<string, string>;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly engineSearch: string;
  readonly signal: AbortSignal;
  source(from: string | undefined): Promise<CopySource>;
}

/** Where each layer's blob lies, by the name its nodes carry; shared by all stages of a build. */
export type LayerPaths = Map<string, string>;

export class StageBuilder {
  readonly #around: StageSurroundings;
  readonly #layerPaths: LayerPaths;
  readonly #args = new Map<string, string>();
  readonly #tree: ImageTree;
  #layers: readonly ImageLayer[];
  #config: ImageConfig;
  #cmdSet = false;

  constructor(base: BaseImage, around: StageSurroundings, layerPaths: LayerPaths) {
    this.#around = around;
    this.#layerPaths = layerPaths;
    this.#tree = base.tree.copy();
    this.#layers = base.layers;
    // Triggers of the base run now and are not handed on.
    const { OnBuild: _ran, ...run } = base.config.run;
    this.#config = { ...base.config, run };
  }

  result(): BaseImage {
    return { config: this.#config, layers: this.#layers, tree: this.#tree };
  }

  addLabels(labels: Readonly<Record<string, string>>): void {
    if (Object.keys(labels).length === 0) return;
    this.#setRun({ ...this.#config.run, Labels: { ...this.#config.run.Labels, ...labels } });
  }

  /** Throws `InstructionProblem` when the instruction cannot be done. */
  async apply(instruction: Instruction): Promise<void> {
    if (isMetadata(instruction)) {
      const expand = (word: string): string => this.#expand(word);
      this.#setRun(applyMetadata(this.#config.run, instruction, expand, this.#cmdSet));
      if (instruction.kind === "cmd") this.#cmdSet = true;
      this.#remember(instruction.text, true);
      return;
    }
    switch (instruction.kind) {
      case "arg":
        return this.#arg(instruction);
      case "workdir":
        return await this.#workdir(instruction.value, instruction.text);
      case "copy":
      case "add":
        return await this.#copy(instruction);
      case "maintainer":
        this.#config = { ...this.#config, author: instruction.value };
        return this.#remember(instruction.text, true);
      case "run":
        throw new InstructionProblem(runMessage(this.#around.engineSearch));
    }
  }

  readonly #lookup: Lookup = (name) => {
    const entry = this.#config.run.Env?.find((one) => one.startsWith(`${name}=`));
    return entry === undefined ? this.#args.get(name) : entry.slice(name.length + 1);
  };

  #expand(word: string): string {
    return expandWord(word, this.#lookup, this.#around.escape);
  }

  #setRun(run: RunConfig): void {
    this.#config = { ...this.#config, run };
  }

  /** `--build-arg` wins, then the default here, then an ARG of that name before the first FROM. */
  #arg(instruction: ArgInstruction): void {
    for (const { name, value } of instruction.names) {
      const given = this.#around.buildArgs.get(name);
      const own = value === undefined ? this.#around.globalArgs.get(name) : this.#expand(value);
      const chosen = given ?? own;
      if (chosen !== undefined) this.#args.set(name, chosen);
    }
    this.#remember(instruction.text, true);
  }

  async #workdir(value: string, text: string): Promise<void> {
    const wanted = this.#expand(value);
    const full = wanted.startsWith("/") ? wanted : `${this.#workdirNow()}/${wanted}`;
    const workdir = `/${normalPath(full)}`;
    this.#setRun({ ...this.#config.run, WorkingDir: workdir });
    const nodes = new Map<string, TreeNode>();
    const path = this.#tree.resolve(workdir);
    const parts = path === "" ? [] : path.split("/");
    for (let end = 1; end <= parts.length; end++) {
      const folder = parts.slice(0, end).join("/");
      const existing = this.#tree.get(folder);
      if (existing?.kind === "file")
        throw new InstructionProblem(`WORKDIR "${workdir}" cannot be: "/${folder}" is a file`);
      if (existing === undefined) nodes.set(folder, { kind: "directory", mode: 0o755, uid: 0, gid: 0 });
    }
    await this.#addLayer(nodes, text);
  }

  #workdirNow(): string {
    return this.#config.run.WorkingDir ?? "/";
  }

  async #copy(instruction: CopyInstruction): Promise<void> {
    const refused = addProblem(instruction);
    if (refused !== undefined) throw new InstructionProblem(refused);
    const source = await this.#around.source(instruction.from);
    const request: CopyRequest = {
      source: source.tree,
      sourceName: source.name,
      sources: instruction.sources.map((word) => this.#expand(word)),
      inline: this.#inline(instruction),
      destination: this.#expand(instruction.destination),
      workdir: this.#workdirNow(),
      stage: this.#tree,
      owner: await this.#owner(instruction.chown),
      mode: this.#mode(instruction.chmod),
      exclude: instruction.exclude,
    };
    const nodes = instruction.kind === "add" ? await this.#planAdd(request) : planCopy(request);
    await this.#addLayer(await this.#fetchContents(nodes), instruction.text);
  }

  #inline(instruction: CopyInstruction): KeyInline[] {
    return instruction.heredocs.map(({ name, content, expand }) => ({
      name,
      content: expand ? expandHeredoc(content, this.#lookup, this.#around.escape) : content,
    }));
  }

  async #owner(chown: string | undefined): Promise<{ uid: number; gid: number }> {
    if (chown === undefined) return { uid: 0, gid: 0 };
    return await parseOwner(this.#expand(chown), (path) => this.#readText(path));
  }

  #mode(chmod: string | undefined): number | undefined {
    if (chmod === undefined) return undefined;
    const text = this.#expand(chmod);
    if (!/^[0-7]{3,4}$/.test(text))
      throw new InstructionProblem(`--chmod must be octal, for example 755: it is "${text}"`);
    return Number.parseInt(text, 8);
  }

  /** ADD unpacks local archives and copies everything else. */
  async #planAdd(request: CopyRequest): Promise<Map<string, TreeNode>> {
    const plain: string[] = [];
    const nodes = new Map<string, TreeNode>();
    for (const pattern of request.sources) {
      const path = request.source.resolve(normalPath(pattern));
      const node = request.source.get(path);
      const disk = node?.kind === "file" && node.content.kind === "disk" ? node.content.path : undefined;
      if (disk === undefined || !(await isTar(disk, (await stat(disk)).size))) {
        plain.push(pattern);
        continue;
      }
      const archive = new ImageTree();
      this.#layerPaths.set(disk, disk);
      archive.apply(await readMembers(disk, disk, this.#around.signal));
      const members = new Map(archive.paths().map((name) => [name, archive.get(name) as TreeNode]));
      for (const [name, unpacked] of planUnpack(request, members)) nodes.set(name, unpacked);
    }
    if (plain.length + request.inline.length === 0) return nodes;
    return new Map([...nodes, ...planCopy({ ...request, sources: plain })]);
  }

  /** Brings contents that are inside layers onto the disk, reading each layer once. */
  async #fetchContents(nodes: Map<string, TreeNode>): Promise<Map<string, TreeNode>> {
    const wanted = new Map<string, Set<string>>();
    for (const node of nodes.values()) {
      if (node.kind !== "file" || node.content.kind !== "layer") continue;
      const names = wanted.get(node.content.layer) ?? new Set();
      wanted.set(node.content.layer, names.add(node.content.name));
    }
    for (const [layer, names] of wanted) {
      const found = await extractContents(
        this.#layerPaths.get(layer) ?? layer,
        names,
        this.#around.spoolFolder,
        this.#around.signal,
      );
      for (const [path, node] of nodes) {
        if (node.kind !== "file" || node.content.kind !== "layer" || node.content.layer !== layer) continue;
        const onDisk = found.get(node.content.name);
        if (onDisk !== undefined) nodes.set(path, { ...node, content: { kind: "disk", path: onDisk } });
      }
    }
    return nodes;
  }

  async #readText(path: string): Promise<string | undefined> {
    const resolved = this.#tree.resolve(path);
    const node = this.#tree.get(resolved);
    if (node?.kind !== "file" || node.size > 1024 * 1024) return undefined;
    const fetched = (await this.#fetchContents(new Map([[resolved, node]]))).get(resolved);
    if (fetched?.kind !== "file") return undefined;
    if (fetched.content.kind === "bytes") return Buffer.from(fetched.content.data).toString("utf8");
    return fetched.content.kind === "disk" ? await readFile(fetched.content.path, "utf8") : undefined;
  }

  async #addLayer(nodes: Map<string, TreeNode>, text: string): Promise<void> {
    if (nodes.size === 0) return this.#remember(text, true);
    const { blobsFolder, mtimeSeconds, signal } = this.#around;
    const { diffId, ...layer } = await writeLayer(nodes, { blobsFolder, mtimeSeconds, signal });
    this.#layerPaths.set(layer.digest, layer.path);
    this.#layers = [...this.#layers, layer];
    this.#config = { ...this.#config, diffIds: [...this.#config.diffIds, diffId] };
    this.#tree.apply([...nodes].map(([path, node]) => ({ kind: "node", path, node })));
    this.#remember(text, false);
  }

  #remember(text: string, empty: boolean): void {
    const entry: HistoryEntry = {
      created: this.#around.created,
      created_by: text,
      comment: "tidegate",
      ...(empty ? { empty_layer: true } : {}),
    };
    this.#config = { ...this.#config, history: [...this.#config.history, entry] };
  }
}

interface KeyInline {
  readonly name: string;
  readonly content: string;
}
