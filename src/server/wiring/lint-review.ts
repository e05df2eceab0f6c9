/** What the linter says of a workflow file, for the runs of it. */
import type { Repositories } from "#git";
import { ThreadFailed } from "#lib";
import type { Finding } from "#lint";
import type { ReviewPort } from "#workflows";
import { defaultBranch } from "./lint-push.ts";
import type { RecentFindings } from "./recent-findings.ts";

/** `tidegate lint` shows all. */
const maxFindings = 50;

export function lintReview(repositories: Repositories, recent: RecentFindings): ReviewPort {
  const lint = async (
    file: { readonly path: string; readonly text: string },
    policy: ReadonlyMap<string, string>,
  ): Promise<readonly Finding[]> => {
    try {
      return await recent.lint([file], policy);
    } catch (error) {
      // The answer to the push has said so.
      if (error instanceof ThreadFailed) return [];
      throw error;
    }
  };
  return async (repository, file, { signal }) => {
    const { policyFiles } = await defaultBranch(await repositories.reader(repository, signal));
    return (await lint(file, policyFiles))
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
