/** What a path below `/v2/` asks for. Repository names have slashes, so the end of the path decides. Pure. */

export type RegistryPath =
  | { readonly kind: "base" }
  | { readonly kind: "blob"; readonly name: string; readonly digest: string }
  | { readonly kind: "uploads"; readonly name: string }
  | { readonly kind: "upload"; readonly name: string; readonly id: string }
  | { readonly kind: "manifest"; readonly name: string; readonly reference: string }
  | { readonly kind: "tags"; readonly name: string }
  | { readonly kind: "referrers"; readonly name: string; readonly digest: string };

/** `path` is what follows `/v2/`, percent-decoded. Undefined: no endpoint of the specification. */
export function parseRegistryPath(path: string): RegistryPath | undefined {
  if (path === "") return { kind: "base" };
  const [, uploadsName] = /^(.+)\/blobs\/uploads\/?$/.exec(path) ?? [];
  if (uploadsName !== undefined) return { kind: "uploads", name: uploadsName };
  const [, uploadName, id] = /^(.+)\/blobs\/uploads\/([^/]+)$/.exec(path) ?? [];
  if (uploadName !== undefined && id !== undefined) return { kind: "upload", name: uploadName, id };
  const [, tagsName] = /^(.+)\/tags\/list$/.exec(path) ?? [];
  if (tagsName !== undefined) return { kind: "tags", name: tagsName };
  const [, name, what, last] = /^(.+)\/(blobs|manifests|referrers)\/([^/]+)$/.exec(path) ?? [];
  if (name === undefined || last === undefined) return undefined;
  if (what === "blobs") return { kind: "blob", name, digest: last };
  if (what === "manifests") return { kind: "manifest", name, reference: last };
  return { kind: "referrers", name, digest: last };
}
