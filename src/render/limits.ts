/** Bounds on what one rendering takes in. All far above real repositories and far below what would hurt the process. */
export const limits = {
  /** A Kubernetes object is at most 1.5 MiB; a file may hold several. */
  fileBytes: 8 * 1024 * 1024,
  documentsInFile: 5_000,
  objects: 20_000,
  /** Files in a directory source, folders included. */
  entries: 20_000,
  /** How often aliases may be expanded in one document: the guard against "billion laughs". */
  aliases: 200,
  /** Kustomizations one inside another. */
  depth: 40,
} as const;
