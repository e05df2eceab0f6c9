import type { Clock, Ids, Log } from "#lib";

export interface LocalOptions {
  /** Any folder of the working tree. */
  readonly folder: string;
  /** A workflow file or a folder of them, in place of those of the working tree; absolute. */
  readonly workflows?: string;
  /** Other repositories by name, as they lie on this machine: for calls and actions. */
  readonly repositories: ReadonlyMap<string, string>;
  /** Jobs work in the working tree itself, not in a copy. */
  readonly bind: boolean;
  readonly secrets: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
  /** Jobs at once. */
  readonly jobs: number;
  /** What is kept from run to run: caches, tools, actions, artifacts. */
  readonly keep: LocalFolders;
  /** What steps, and git, start from. */
  readonly env: Readonly<Record<string, string>>;
  readonly nodePath: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

interface LocalFolders {
  readonly caches: string;
  readonly artifacts: string;
  readonly tools: string;
  /** Actions of other hosts. */
  readonly actions: string;
}
