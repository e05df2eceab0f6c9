/** The `images` transformer. */
import { isObject } from "#lib";
import { visitField } from "./field-path.ts";
import { imageSpecs } from "./field-specs.ts";
import type { ImageChange } from "./kustomization.ts";
import { matchesKind, type Resource } from "./resource.ts";

export interface ImageReference {
  readonly name: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** Splits `host:5000/shop/web:v1@sha256:…`. A colon before the first slash belongs to the host. */
export function splitImage(image: string): ImageReference {
  const slash = Math.max(image.indexOf("/"), 0);
  const at = image.indexOf("@", slash);
  const beforeDigest = at < 0 ? image : image.slice(0, at);
  const colon = beforeDigest.indexOf(":", slash);
  const name = colon < 0 ? beforeDigest : beforeDigest.slice(0, colon);
  return {
    name,
    ...(colon < 0 ? {} : { tag: beforeDigest.slice(colon + 1) }),
    ...(at < 0 ? {} : { digest: image.slice(at + 1) }),
  };
}

/** The image after the change, or the same image when the change is for another name. */
function changedImage(image: string, change: ImageChange): string {
  const { name, tag, digest } = splitImage(image);
  if (name !== change.name) return image;
  const newTag = nonEmpty(change.newTag);
  const newDigest = nonEmpty(change.digest);
  const pinned = newTag !== undefined || newDigest !== undefined;
  const finalTag = pinned ? newTag : tag;
  const finalDigest = pinned ? newDigest : digest;
  const tagged = finalTag === undefined ? "" : `:${finalTag}`;
  return `${nonEmpty(change.newName) ?? name}${tagged}${finalDigest === undefined ? "" : `@${finalDigest}`}`;
}

/** Reaches every list named `containers` or `initContainers`, at any depth of any kind but CustomResourceDefinition. */
export function setImages(resource: Resource, change: ImageChange): void {
  if (resource.object.kind === "CustomResourceDefinition") return;
  visitContainers(resource.object, (container) => setImageField(container, "image", change));
  for (const spec of imageSpecs.filter((spec) => matchesKind(resource.id, spec))) {
    visitField(resource.object, spec.path, false, (holder, field) => setImageField(holder, field, change));
  }
}

function setImageField(holder: Record<string, unknown>, field: string, change: ImageChange): void {
  const image = holder[field];
  if (typeof image === "string") holder[field] = changedImage(image, change);
}

/** Calls `visit` with every item of every list named `containers` or `initContainers`. */
export function visitContainers(node: unknown, visit: (container: Record<string, unknown>) => void): void {
  if (Array.isArray(node)) {
    for (const item of node) visitContainers(item, visit);
    return;
  }
  if (!isObject(node)) return;
  for (const [key, value] of Object.entries(node)) {
    visitContainers(value, visit);
    if ((key !== "containers" && key !== "initContainers") || !Array.isArray(value)) continue;
    for (const container of value) if (isObject(container)) visit(container);
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
