/** Folders of the machine as a container sees them: pure. */

export interface Mount {
  /** On the machine. */
  readonly source: string;
  /** In the container. */
  readonly target: string;
  readonly readOnly?: boolean;
}

export class PathMap {
  readonly #inside: readonly Mount[];
  readonly #outside: readonly Mount[];

  /** Where mounts lie within each other, the innermost counts. */
  constructor(mounts: readonly Mount[]) {
    this.#inside = mounts.toSorted((a, b) => b.source.length - a.source.length);
    this.#outside = mounts.toSorted((a, b) => b.target.length - a.target.length);
  }

  /** What is under no mount stays as it is. */
  inside(text: string): string {
    return moved(text, this.#inside, "source", "target");
  }

  outside(text: string): string {
    return moved(text, this.#outside, "target", "source");
  }

  /** Whether the container sees this path of the machine. */
  has(path: string): boolean {
    return this.#inside.some(({ source }) => isBelow(path, source));
  }
}

function moved(text: string, mounts: readonly Mount[], from: "source" | "target", to: "source" | "target"): string {
  const mount = mounts.find((one) => isBelow(text, one[from]));
  return mount === undefined ? text : mount[to] + text.slice(mount[from].length);
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
