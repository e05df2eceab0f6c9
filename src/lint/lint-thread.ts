/** The thread that looks at large files; see `lint-in-time.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { lintFiles, type LintFile } from "./lint.ts";
import { readPolicies } from "./read-policy.ts";

const { files, policy } = workerData as {
  readonly files: readonly LintFile[];
  readonly policy: ReadonlyMap<string, string>;
};
// A port of a thread has no origin: the rule means windows.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(lintFiles(files, readPolicies(policy).value));
