/**
 * The linter, and what it found last: the files of a push are looked at before it is let in, again for the run that it
 * starts, and once more beside those of the next push.
 */
import { sha256Hex } from "#lib";
import { lintFiles, readPolicies, type Finding, type LintFile } from "#lint";

/** Of a few pushes at once; findings are small. */
const remembered = 64;

export class RecentFindings {
  readonly #byInput = new Map<string, readonly Finding[]>();

  /** @param policy the files in which the repository says what it makes of findings */
  lint(files: readonly LintFile[], policy: ReadonlyMap<string, string>): readonly Finding[] {
    if (files.length === 0) return [];
    const key = sha256Hex(JSON.stringify([[...policy], files.map(({ path, kind, text }) => [path, kind, text])]));
    const findings = this.#byInput.get(key) ?? lintFiles(files, readPolicies(policy).value);
    this.#byInput.delete(key);
    this.#byInput.set(key, findings);
    const oldest = this.#byInput.size > remembered ? this.#byInput.keys().next().value : undefined;
    if (oldest !== undefined) this.#byInput.delete(oldest);
    return findings;
  }
}
