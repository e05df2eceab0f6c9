/** Files in, Kubernetes objects out. No network, no clock, no cluster. */
export { renderSource, type RenderOptions, type Rendered, type SourceType } from "./render-source.ts";
export { type FileTree, type TreeEntry } from "./ports.ts";
export { folderTree } from "./folder-tree.ts";
export { memoryTree } from "./memory-tree.ts";
export { locateField } from "./locate-field.ts";
export { parseManifests, type Manifest } from "./manifest.ts";
export { setKustomizeImage } from "./kustomize/edit.ts";
export { splitImage, visitContainers, type ImageReference } from "./kustomize/images.ts";
export { KustomizeError } from "./kustomize/errors.ts";
export { kustomizationFileNames, type ImageChange, type Kustomization } from "./kustomize/kustomization.ts";
export { mergeSchemaOf, type MergeSchema } from "./kustomize/merge-keys.ts";
export { type DirectoryOptions } from "./plain/render-plain.ts";
