/** What image updates need from the rest of the system. */
import type { Problem } from "#lib";

/** One tag of an image repository, as its registry knows it. */
export interface TaggedImage {
  readonly tag: string;
  readonly digest: string;
  /** When the image was built, else when it was pushed; RFC 3339. */
  readonly builtAt: string;
  /** Labels of the image config (`org.opencontainers.image.revision`, `.source`, …). */
  readonly labels: Readonly<Record<string, string>>;
}

export interface ImageTagsPort {
  /**
   * Every tag of `image` (`host/repository`, without tag). Undefined when the registry is not one this system can
   * look into; empty when nothing was pushed yet.
   */
  tags(image: string, signal: AbortSignal): Promise<readonly TaggedImage[] | undefined>;
}

export interface EnvironmentEdit {
  read(path: string): Promise<string | undefined>;
  write(path: string, text: string): void;
}

export interface EnvironmentCommit {
  readonly repoURL: string;
  readonly branch: string;
  readonly message: string;
  readonly trailers: Readonly<Record<string, string>>;
  /** May run more than once, when somebody else pushed meanwhile. */
  readonly edit: (files: EnvironmentEdit) => Promise<void>;
}

export interface EnvironmentRepositoryPort {
  /** The new commit, or undefined when the edit changed nothing. Throws when the branch cannot be written. */
  commit(commit: EnvironmentCommit, signal: AbortSignal): Promise<{ readonly sha: string } | undefined>;
}

export interface KustomizeImage {
  /** The `name:` to look for, as in the manifests. */
  readonly name: string;
  readonly newName: string;
  /** Exactly one of the two. */
  readonly newTag?: string;
  readonly digest?: string;
}

export interface KustomizationEditorPort {
  /** The text with the image set and everything else, comments too, as it was. */
  setImage(text: string, image: KustomizeImage): { readonly text?: string; readonly problems: readonly Problem[] };
}
