/** What the linter says of a workflow file, for the runs of it. */
import type { Repositories } from "#git";
import type { ReviewPort } from "#workflows";
import { policyAtHead } from "./lint-push.ts";
import type { RecentFindings } from "./recent-findings.ts";

/** `tidegate lint` shows all. */
const maxFindings = 50;

export function lintReview(repositories: Repositories, findings: RecentFindings): ReviewPort {
  return async (repository, file, { signal }) => {
    const policy = await policyAtHead(await repositories.reader(repository, signal));
    return findings
      .lint([file], policy)
      .filter(({ severity, rule }) => severity !== "note" && rule !== "syntax")
      .slice(0, maxFindings)
      .map(({ rule, message, line, column }) => ({
        path: "",
        message: `${message} [${rule}]`,
        at: { file: file.path, line, column },
        severity: "warning",
      }));
  };
}
