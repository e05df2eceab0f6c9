/** A clone on disk, handled with the real git, for tests. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Finished, run } from "./run-command.ts";
import type { Tidegate } from "./start-tidegate.ts";

export type Files = Readonly<Record<string, string>>;

export interface WorkCopy {
  readonly folder: string;
  /** Runs git in it; fails the test when it ends with another code than `code`. */
  git(args: readonly string[], code?: number): Promise<Finished>;
  /** Writes the files (an empty text deletes one), commits everything; the id of the commit. */
  commit(message: string, files?: Files): Promise<string>;
  /** Commits and pushes to main: what the server said, and the commit. */
  push(message: string, files?: Files): Promise<{ readonly sha: string; readonly said: string }>;
}

/** The address of a repository with the token in it, as one would type it. */
export function cloneUrl(tidegate: Tidegate, repository: string, token = tidegate.adminToken): string {
  return `http://ada:${token}@127.0.0.1:${tidegate.controlPort}/${repository}`;
}

/** Creates the repository and an empty clone of it on `main`. */
export async function newRepository(tidegate: Tidegate, repository: string): Promise<WorkCopy> {
  await tidegate.api("/repositories", { method: "POST", body: { name: repository } });
  const folder = await mkdtemp(join(tidegate.scratch, "work-"));
  const copy = workCopy(tidegate, folder);
  await copy.git(["init", "--quiet", "--initial-branch=main"]);
  await copy.git(["remote", "add", "origin", cloneUrl(tidegate, repository)]);
  return copy;
}

export function workCopy(tidegate: Tidegate, folder: string): WorkCopy {
  const git: WorkCopy["git"] = (args, code = 0) => run("git", args, { env: tidegate.env, cwd: folder, code });
  const commit: WorkCopy["commit"] = async (message, files = {}) => {
    await writeAll(folder, files);
    await git(["add", "--all"]);
    await git(["commit", "--quiet", "--allow-empty", "--message", message]);
    return (await git(["rev-parse", "HEAD"])).stdout.trim();
  };
  return {
    folder,
    git,
    commit,
    async push(message, files) {
      const sha = await commit(message, files);
      const { stderr } = await git(["push", "origin", "HEAD:main"]);
      return { sha, said: stderr };
    },
  };
}

async function writeAll(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    if (text === "") await rm(join(folder, path));
    else {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
  }
}
