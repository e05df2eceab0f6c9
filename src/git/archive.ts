/** The files of a commit as a tar archive, by git itself: what `.gitattributes` keeps out of exports is not in it. */
import { once } from "node:events";
import { GitError } from "./errors.ts";
import { spawnGit, type GitRun } from "./git-process.ts";
import { isObjectId } from "./names.ts";

/** Ends in an error when git does: a part of an archive is never taken for all of it. */
export async function* archiveCommit(
  run: Pick<GitRun, "folder" | "environment" | "signal">,
  sha: string,
): AsyncGenerator<Buffer, void, undefined> {
  if (!isObjectId(sha)) throw new GitError("git/bad-request", `Cannot archive "${sha}": not a whole object id`);
  run.signal.throwIfAborted();
  const child = spawnGit(["--git-dir", run.folder, "archive", "--format=tar", sha], run.environment, false);
  let said = "";
  child.stdin?.end();
  child.stderr?.on("data", (chunk: Buffer) => (said = (said + chunk.toString("utf8")).slice(-1000)));
  const closed = once(child, "close");
  // Awaited below; until then a failure must not count as unhandled.
  closed.catch(() => {});
  const kill = (): void => void child.kill("SIGKILL");
  run.signal.addEventListener("abort", kill, { once: true });
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) yield chunk;
    const [code] = (await closed) as [number | null];
    run.signal.throwIfAborted();
    if (code !== 0) throw new GitError("git/not-found", `Cannot archive commit ${sha}: ${said.trim()}`);
  } finally {
    run.signal.removeEventListener("abort", kill);
    if (child.exitCode === null) kill();
  }
}
