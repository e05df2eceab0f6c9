/**
 * The linter, and what it found last: the files of a push are looked at before it is let in, again for the run that it
 * starts, and once more beside those of the next push.
 */
import { sha256Hex, type Clock } from "#lib";
import { lintInTime, type Finding, type LintFile } from "#lint";

/** Of a few pushes at once; findings are small. */
const remembered = 64;

export class RecentFindings {
  readonly #clock: Clock;
  readonly #byInput = new Map<string, Promise<readonly Finding[]>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Throws `ThreadFailed` for files that take too long.
   *
   * @param policy the files in which the repository says what it makes of findings
   */
  async lint(files: readonly LintFile[], policy: ReadonlyMap<string, string>): Promise<readonly Finding[]> {
    if (files.length === 0) return [];
    const key = sha256Hex(JSON.stringify([[...policy], files.map(({ path, kind, text }) => [path, kind, text])]));
    const findings = this.#byInput.get(key) ?? lintInTime(files, policy, this.#clock);
    this.#byInput.delete(key);
    this.#byInput.set(key, findings);
    const oldest = this.#byInput.size > remembered ? this.#byInput.keys().next().value : undefined;
    if (oldest !== undefined) this.#byInput.delete(oldest);
    try {
      return await findings;
    } catch (error) {
      // On a quieter machine it may be looked at in time.
      this.#byInput.delete(key);
      throw error;
    }
  }
}
