/**
 * Builds a kustomization: resources, generators, components, then the transformers, each layer on what the layers below
 * gave; hashes and references come last, once, over everything.
 */
import type { Location, Problem } from "#lib";
import { hasErrors } from "#lib";
import { limits } from "../limits.ts";
import { parseManifests, type Manifest } from "../manifest.ts";
import type { FileTree } from "../ports.ts";
import { readText } from "../read-file.ts";
import { isRemote, joinTreePath, shownFolder } from "../tree-path.ts";
import { parseYaml, shownPath, type YamlDocument, type YamlPath } from "../yaml-source.ts";
import { KustomizeError, missingFile } from "./errors.ts";
import { findKustomization } from "./find-kustomization.ts";
import { absorb, generate } from "./generators.ts";
import { setImages } from "./images.ts";
import { kustomizationShape, type Generator, type Kustomization, type Patch } from "./kustomization.ts";
import { applyPatch, parsePatch } from "./patches.ts";
import { appendResources, finishResources } from "./resource-list.ts";
import { Resource } from "./resource.ts";
import { checkShape } from "./shape.ts";
import {
  addAffix,
  addAnnotations,
  addLabels,
  allLabelSpecs,
  labelFieldSpecs,
  setNamespace,
  setReplicas,
} from "./transforms.ts";

/**
 * Renders the kustomization in `folder`; what is wrong goes to `problems`. `extra` is applied like one more layer on top,
 * and its positions are reported as `extraFile`.
 */
export async function renderKustomize(
  tree: FileTree,
  folder: string,
  problems: Problem[],
  extra?: { readonly kustomization: Kustomization; readonly file: string },
): Promise<Manifest[]> {
  const builder = new Builder(tree, problems);
  const { resources, sortOptions } = await builder.layer(folder, "Kustomization", [], []);
  const all =
    extra === undefined ? resources : await builder.overlay(extra.kustomization, extra.file, folder, resources);
  if (hasErrors(problems)) return [];
  return builder.finish(all, sortOptions, folder);
}

interface Layer {
  readonly resources: Resource[];
  readonly sortOptions: Kustomization["sortOptions"];
}

/** Where a kustomization's fields stand, so that a failing step names its line. */
interface Source {
  readonly folder: string;
  readonly file: string;
  readonly locate: (path: YamlPath) => Location;
}

class Builder {
  readonly #tree: FileTree;
  readonly #problems: Problem[];

  constructor(tree: FileTree, problems: Problem[]) {
    this.#tree = tree;
    this.#problems = problems;
  }

  /** One kustomization with all below it. A component gets the resources of the layer that uses it and changes those. */
  async layer(
    folder: string,
    kind: "Kustomization" | "Component",
    given: Resource[],
    parents: readonly string[],
  ): Promise<Layer> {
    const file = await findKustomization(this.#tree, folder);
    if (file === undefined) {
      const message = `No kustomization.yaml in "${shownFolder(folder)}": add one`;
      this.#problems.push({ path: "", message, at: { file: shownFolder(folder) } });
      return { resources: given, sortOptions: undefined };
    }
    const document = await this.#read(file, kind);
    if (document === undefined) return { resources: given, sortOptions: undefined };
    const kustomization = document.value as Kustomization;
    const source: Source = { folder, file, locate: (path) => document.locate(path) };
    const resources = await this.#gather(kustomization, source, given, [...parents, folder]);
    if (hasErrors(this.#problems)) return { resources, sortOptions: undefined };
    return {
      resources: await this.#transform(kustomization, source, resources),
      sortOptions: kustomization.sortOptions,
    };
  }

  overlay(kustomization: Kustomization, file: string, folder: string, resources: Resource[]): Promise<Resource[]> {
    return this.#transform(kustomization, { folder, file, locate: () => ({ file }) }, resources);
  }

  /** Hashes, references, order: once over the whole result. */
  finish(resources: Resource[], sortOptions: Kustomization["sortOptions"], folder: string): Manifest[] {
    const source: Source = { folder, file: shownFolder(folder), locate: () => ({ file: shownFolder(folder) }) };
    let ordered: Resource[] = [];
    this.#attempt(source, [], () => {
      ordered = finishResources(resources, sortOptions);
    });
    return ordered.map(({ object, at }) => ({ object, at }));
  }

  async #read(file: string, kind: "Kustomization" | "Component"): Promise<YamlDocument | undefined> {
    const text = await readText(this.#tree, file, this.#problems);
    const [document, second] = text === undefined ? [] : parseYaml(file, text, this.#problems);
    if (document === undefined) {
      if (!hasErrors(this.#problems))
        this.#problems.push({ path: "", message: "The kustomization is empty", at: { file } });
      return undefined;
    }
    if (second !== undefined) this.#problems.push(second.problem([], "A kustomization must be a single document"));
    checkShape(document, [], document.value, kustomizationShape, this.#problems);
    if (hasErrors(this.#problems)) return undefined;
    const found = (document.value as Kustomization).kind ?? "Kustomization";
    if (found === kind) return document;
    const remedy = kind === "Component" ? 'list it under "resources"' : 'list it under "components"';
    const known = found === "Kustomization" || found === "Component";
    const message = known
      ? `Expected kind ${kind}: this is a ${found}; ${remedy}`
      : `Unknown kind "${found}": use Kustomization`;
    this.#problems.push(document.problem(["kind"], message));
    return undefined;
  }

  async #gather(
    kustomization: Kustomization,
    source: Source,
    given: Resource[],
    parents: readonly string[],
  ): Promise<Resource[]> {
    let resources = given;
    for (const field of ["resources", "bases"] as const) {
      for (const [index, entry] of (kustomization[field] ?? []).entries()) {
        const found = await this.#entry(entry, [field, index], source, parents);
        this.#attempt(source, [field, index], () => appendResources(resources, found));
      }
    }
    await this.#generate(kustomization, source, resources);
    for (const [index, entry] of (kustomization.components ?? []).entries()) {
      const folder = this.#inside(entry, ["components", index], source);
      if (folder === undefined || this.#isCycle(folder, ["components", index], source, parents)) continue;
      resources = (await this.layer(folder, "Component", resources, parents)).resources;
    }
    return resources;
  }

  async #entry(entry: string, path: YamlPath, source: Source, parents: readonly string[]): Promise<Resource[]> {
    const target = this.#inside(entry, path, source);
    if (target === undefined) return [];
    const text = await readText(this.#tree, target, this.#problems);
    if (text !== undefined) {
      return parseManifests(target, text, this.#problems).map(({ object, at }) => new Resource(object, at));
    }
    if ((await this.#tree.list(target)).length === 0) {
      this.#report(source, path, missingFile(entry, source.folder));
      return [];
    }
    if ((await findKustomization(this.#tree, target)) === undefined) {
      this.#report(source, path, `folder "${entry}" has no kustomization.yaml: add one, or list its files`);
      return [];
    }
    if (this.#isCycle(target, path, source, parents)) return [];
    return (await this.layer(target, "Kustomization", [], parents)).resources;
  }

  #inside(entry: string, path: YamlPath, source: Source): string | undefined {
    if (isRemote(entry)) {
      this.#report(source, path, `"${entry}" is on another machine: rendering reads this repository only; copy it in`);
      return undefined;
    }
    const target = joinTreePath(source.folder, entry);
    if (target === undefined) this.#report(source, path, `path "${entry}" leaves the repository`);
    return target;
  }

  #isCycle(folder: string, path: YamlPath, source: Source, parents: readonly string[]): boolean {
    if (parents.includes(folder)) {
      const chain = [...parents.slice(parents.indexOf(folder)), folder].map(shownFolder).join(" → ");
      this.#report(source, path, `kustomizations include each other in a circle: ${chain}`);
      return true;
    }
    if (parents.length < limits.depth) return false;
    this.#report(source, path, `kustomizations are nested more than ${limits.depth} deep`);
    return true;
  }

  async #generate(kustomization: Kustomization, source: Source, resources: Resource[]): Promise<void> {
    const jobs: [field: string, kind: "ConfigMap" | "Secret", generators: readonly Generator[]][] = [
      ["configMapGenerator", "ConfigMap", kustomization.configMapGenerator ?? []],
      ["secretGenerator", "Secret", kustomization.secretGenerator ?? []],
    ];
    for (const [field, kind, generators] of jobs) {
      for (const [index, generator] of generators.entries()) {
        const { folder } = source;
        const at = source.locate([field, index]);
        const global = kustomization.generatorOptions;
        const input = { kind, generator, global, tree: this.#tree, folder, at, problems: this.#problems };
        await this.#attemptAsync(source, [field, index], async () => absorb(resources, await generate(input)));
      }
    }
  }

  /** In the order of Kustomize's own list of transformers, which is not that of the file. */
  async #transform(kustomization: Kustomization, source: Source, given: Resource[]): Promise<Resource[]> {
    const { namespace, namePrefix, nameSuffix, commonLabels, commonAnnotations } = kustomization;
    let resources = await this.#strategicMerges(kustomization, source, given);
    resources = await this.#patches(kustomization.patches ?? [], "patches", source, resources);
    const step = (path: YamlPath, act: () => void): void => this.#attempt(source, path, act);
    if (namespace) step(["namespace"], () => setNamespace(resources, namespace));
    if (namePrefix) step(["namePrefix"], () => addAffix(resources, namePrefix, "prefix"));
    if (nameSuffix) step(["nameSuffix"], () => addAffix(resources, nameSuffix, "suffix"));
    for (const [index, label] of (kustomization.labels ?? []).entries()) {
      step(["labels", index], () => addLabels(resources, label.pairs ?? {}, labelFieldSpecs(label)));
    }
    if (commonLabels) step(["commonLabels"], () => addLabels(resources, commonLabels, allLabelSpecs));
    if (commonAnnotations) step(["commonAnnotations"], () => addAnnotations(resources, commonAnnotations));
    resources = await this.#patches(kustomization.patchesJson6902 ?? [], "patchesJson6902", source, resources);
    for (const [index, { name, count }] of (kustomization.replicas ?? []).entries()) {
      step(["replicas", index], () => setReplicas(resources, name, count));
    }
    for (const image of [...(kustomization.images ?? []), ...(kustomization.imageTags ?? [])]) {
      for (const resource of resources) setImages(resource, image);
    }
    return resources;
  }

  /** An entry of `patchesStrategicMerge` is a path, or the patch itself. */
  async #strategicMerges(kustomization: Kustomization, source: Source, given: Resource[]): Promise<Resource[]> {
    const entries = (kustomization.patchesStrategicMerge ?? []).map((entry): Patch =>
      entry.includes("\n") || entry.includes(": ") ? { patch: entry } : { path: entry },
    );
    return await this.#patches(entries, "patchesStrategicMerge", source, given);
  }

  async #patches(entries: readonly Patch[], field: string, source: Source, given: Resource[]): Promise<Resource[]> {
    let resources = given;
    for (const [index, entry] of entries.entries()) {
      await this.#attemptAsync(source, [field, index], async () => {
        const [file, text] = await this.#patchText(entry, source);
        const patch = parsePatch(file, text, this.#problems);
        if (patch !== undefined) resources = applyPatch(resources, entry, patch);
      });
    }
    return resources;
  }

  async #patchText(entry: Patch, source: Source): Promise<readonly [file: string, text: string]> {
    const inline = entry.patch?.trim() ?? "";
    const path = entry.path ?? "";
    if ((inline === "") === (path === "")) throw new KustomizeError('A patch needs either "path" or "patch"');
    if (inline !== "") return [source.file, inline];
    const file = joinTreePath(source.folder, path);
    if (file === undefined) throw new KustomizeError(`path "${path}" leaves the repository`, ["path"]);
    const text = await readText(this.#tree, file, this.#problems);
    if (text !== undefined) return [file, text];
    throw new KustomizeError(missingFile(path, source.folder), ["path"]);
  }

  #report(source: Source, path: YamlPath, message: string): void {
    this.#problems.push({ path: shownPath(path), message, at: source.locate(path) });
  }

  /** Runs a step; a `KustomizeError` becomes a problem at the field that asked for the step. */
  #attempt(source: Source, path: YamlPath, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#failed(source, path, error);
    }
  }

  async #attemptAsync(source: Source, path: YamlPath, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#failed(source, path, error);
    }
  }

  #failed(source: Source, path: YamlPath, error: unknown): void {
    if (!(error instanceof KustomizeError)) throw error;
    this.#report(source, [...path, ...(error.details?.path ?? [])], error.message);
  }
}
