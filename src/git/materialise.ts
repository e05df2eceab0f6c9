/** Writes the files of a commit into a folder. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gitOutput, type GitRun } from "./git-process.ts";

export interface MaterialiseOptions {
  /**
   * `keep` (default) writes symbolic links as the commit has them; `plain` writes them as small files with the target
   * in them, for readers that must not be led out of the folder.
   */
  readonly symlinks?: "keep" | "plain";
}

/** Two git processes, whatever the number of files. The folder has no `.git`; what was in it stays. */
export async function materialise(
  run: GitRun,
  sha: string,
  folder: string,
  options: MaterialiseOptions = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const scratch = await mkdtemp(join(tmpdir(), "tidegate-index-"));
  try {
    const environment = { ...run.environment, GIT_INDEX_FILE: join(scratch, "index"), GIT_WORK_TREE: folder };
    const symlinks = options.symlinks === "plain" ? ["-c", "core.symlinks=false"] : [];
    await gitOutput(["read-tree", sha], { ...run, environment });
    await gitOutput([...symlinks, "checkout-index", "--all", "--force", "--quiet"], { ...run, environment });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
