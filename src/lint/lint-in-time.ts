/** Looks at files for a process that has other things to do: what may take long is looked at in a thread of its own. */
import { runInThread, type Clock } from "#lib";
import { hasAlias } from "#workflows";
import { lintFiles, type LintFile } from "./lint.ts";
import type { Finding } from "./finding.ts";
import { readPolicies } from "./read-policy.ts";

/** Files of this many characters together are looked at within some 30 ms, once the rules are warm. */
const inlineLength = 12 * 1024;
const limits = { deadlineMs: 20_000, heapMegabytes: 512 };

/**
 * As `lintFiles`. Throws `ThreadFailed` for files that take too long.
 *
 * @param policy the files in which the repository says what it makes of findings
 */
export async function lintInTime(
  files: readonly LintFile[],
  policy: ReadonlyMap<string, string>,
  clock: Clock,
): Promise<readonly Finding[]> {
  const length = files.reduce((sum, file) => sum + file.text.length, 0);
  if (length <= inlineLength && !files.some((file) => hasAlias(file.text))) {
    return lintFiles(files, readPolicies(policy).value);
  }
  return await runInThread(new URL("./lint-thread.ts", import.meta.url), { files, policy }, { ...limits, clock });
}
