import { type KindDefinition, type ResourceType, splitApiVersion } from "#api";
import { unknownKind } from "../refusals.ts";
import { builtinKind, type ServedKind } from "./served-kind.ts";

type Named = Pick<ResourceType, "group" | "version" | "kind" | "plural">;

/** The kinds that are served now: those built in, and those of CustomResourceDefinitions, which come and go. */
export class KindRegistry {
  readonly #byResource = new Map<string, ServedKind>();
  readonly #byKind = new Map<string, ServedKind>();
  /** CRD name → its served versions */
  readonly #custom = new Map<string, readonly ServedKind[]>();
  #generation = 0;

  constructor(builtin: readonly KindDefinition[]) {
    for (const definition of builtin) this.#add(builtinKind(definition, this.all()));
  }

  /** Grows with every change, for caches of what is derived from the kinds (discovery, OpenAPI). */
  get generation(): number {
    return this.#generation;
  }

  all(): readonly ServedKind[] {
    return [...this.#byResource.values()];
  }

  find(group: string, version: string, plural: string): ServedKind | undefined {
    return this.#byResource.get(`${group}/${version}/${plural}`);
  }

  /** Throws NotFound when nobody serves the type. */
  serving(type: Named): ServedKind {
    const kind = this.find(type.group, type.version, type.plural);
    if (kind === undefined) throw unknownKind(type);
    return kind;
  }

  findByKind(apiVersion: string, kind: string): ServedKind | undefined {
    const { group, version } = splitApiVersion(apiVersion);
    return this.#byKind.get(`${group}/${version}/${kind}`);
  }

  /** Any served version of a stored resource. */
  findByStoredName(resource: string): ServedKind | undefined {
    return this.all().find((kind) => kind.resource === resource && kind.stored === undefined);
  }

  isBuiltin(resource: string): boolean {
    return this.all().some((kind) => kind.resource === resource && !this.#custom.has(resource));
  }

  /** Replaces the kinds of one CRD. */
  setCustom(crdName: string, kinds: readonly ServedKind[]): void {
    this.#drop(crdName);
    for (const kind of kinds) this.#add(kind);
    this.#custom.set(crdName, kinds);
  }

  removeCustom(crdName: string): void {
    this.#drop(crdName);
  }

  #add(kind: ServedKind): void {
    this.#byResource.set(`${apiVersionPath(kind)}/${kind.type.plural}`, kind);
    this.#byKind.set(`${apiVersionPath(kind)}/${kind.type.kind}`, kind);
    this.#generation += 1;
  }

  #drop(crdName: string): void {
    for (const kind of this.#custom.get(crdName) ?? []) {
      this.#byResource.delete(`${apiVersionPath(kind)}/${kind.type.plural}`);
      this.#byKind.delete(`${apiVersionPath(kind)}/${kind.type.kind}`);
    }
    if (this.#custom.delete(crdName)) this.#generation += 1;
  }
}

function apiVersionPath(kind: ServedKind): string {
  return `${kind.type.group}/${kind.type.version}`;
}
