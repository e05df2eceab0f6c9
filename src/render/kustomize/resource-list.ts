/** Operations on the list of resources of a layer as a whole. */
import type { AnyObject } from "#api";
import { limits } from "../limits.ts";
import { KustomizeError } from "./errors.ts";
import { fixReferences } from "./fix-references.ts";
import { contentHash } from "./hash.ts";
import type { Kustomization } from "./kustomization.ts";
import { inOrder } from "./order.ts";
import { metadataMap, sameId, shownId, type Resource } from "./resource.ts";

/** Adds to the list; an identity that is there already is an error. */
export function appendResources(resources: Resource[], added: readonly Resource[]): void {
  for (const resource of added) {
    const twin = resources.find((other) => sameId(other.id, resource.id));
    if (twin !== undefined) {
      const at = `${twin.at.file}:${twin.at.line ?? 1}`;
      throw new KustomizeError(`${shownId(resource.id)} comes twice: "${at}" has it already; remove one`);
    }
    resources.push(resource);
  }
  if (resources.length > limits.objects) throw new KustomizeError(`More than ${limits.objects} objects`);
}

/** Hashes, references, order: once over the whole result. */
export function finishResources(resources: readonly Resource[], sortOptions: Kustomization["sortOptions"]): Resource[] {
  for (const resource of resources.filter(({ needsHash }) => needsHash)) {
    const hash = contentHash(resource.object);
    resource.rememberId();
    resource.object.metadata.name += `-${hash}`;
  }
  fixReferences(resources);
  for (const { object } of resources) quoteAnnotations(object);
  return inOrder(
    resources.filter((resource) => !isLocalOnly(resource)),
    sortOptions,
  );
}

/** Annotations are strings; an unquoted number or truth value becomes the one it looks like. */
function quoteAnnotations({ metadata }: AnyObject): void {
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    if (typeof value !== "string" && metadata.annotations !== undefined) metadata.annotations[key] = String(value);
  }
}

/** Objects for the tools of this folder only, marked with Kustomize's own annotation. */
function isLocalOnly(resource: Resource): boolean {
  const mark = metadataMap(resource.object, "annotations")["config.kubernetes.io/local-config"];
  return mark !== undefined && mark !== "false";
}
