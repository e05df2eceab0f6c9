/** What moves a release from one place to the next: image updates written to environment repositories. */
export { createImageUpdater, type ImageUpdater, type ImageUpdaterOptions } from "./image-updater.ts";
export { readImageUpdates, type ImageUpdates, type TrackedImage } from "./image-list.ts";
export { PromotionError } from "./errors.ts";
export type {
  EnvironmentCommit,
  EnvironmentEdit,
  EnvironmentRepositoryPort,
  ImageTagsPort,
  KustomizationEditorPort,
  KustomizeImage,
  TaggedImage,
} from "./ports.ts";
