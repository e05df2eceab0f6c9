/** What volumes need of the machine; the server wires it. */

/** Folders that outlive pods, by the name of their volume. */
export interface VolumeFolderPort {
  pathOf(volume: string): string;
  /** Safe to repeat. */
  create(volume: string, signal: AbortSignal): Promise<void>;
  /** With all that is in it; safe to repeat. */
  remove(volume: string, signal: AbortSignal): Promise<void>;
}
