/** Commits of image updates, to repositories of ours. */
import { errorMessage } from "#lib";
import { GitError, type Repositories } from "#git";
import { type EnvironmentRepositoryPort, PromotionError } from "#promotion";
import { ownRepository } from "./addresses.ts";

const author = { name: "Tidegate", email: "tidegate@localhost" };

/** What stays so until a person changes something. A lost race, a lock or a full process table passes: try again. */
function isRefusal(error: unknown): error is GitError {
  return error instanceof GitError && error.code !== "git/ref-conflict" && error.code !== "git/ref-refused";
}

export function environmentRepositories(repositories: Repositories): EnvironmentRepositoryPort {
  return {
    async commit(commit, signal) {
      const repository = ownRepository(commit.repoURL);
      if (repository === undefined || (await repositories.get(repository)) === undefined) {
        const message = `Cannot write image updates to "${repository ?? commit.repoURL}": only repositories that live here can be written`;
        throw new PromotionError("promotion/unwritable-branch", message);
      }
      try {
        const sha = await repositories.commit(repository, { ...commit, author, pusher: "image-updater", signal });
        return sha === undefined ? undefined : { sha };
      } catch (error) {
        if (signal.aborted || error instanceof PromotionError || !isRefusal(error)) throw error;
        const message = `Cannot write image updates to branch "${commit.branch}" of "${repository}": ${errorMessage(error)}`;
        throw new PromotionError("promotion/unwritable-branch", message, { cause: error });
      }
    },
  };
}
