/** The files of a commit as a tar archive, by git itself: what `.gitattributes` keeps out of exports is not in it. */
import { GitError } from "./errors.ts";
import { killedBy, spawnGit, type GitRun } from "./git-process.ts";
import { isObjectId } from "./names.ts";

/** Ends in an error when git does: a part of an archive is never taken for all of it. */
export async function* archiveCommit(
  run: Pick<GitRun, "folder" | "environment" | "signal">,
  sha: string,
): AsyncGenerator<Buffer, void, undefined> {
  if (!isObjectId(sha)) throw new GitError("git/bad-request", `Cannot archive "${sha}": not a whole object id`);
  run.signal.throwIfAborted();
  const child = await spawnGit(["--git-dir", run.folder, "archive", "--format=tar", sha], run.environment);
  let said = "";
  child.stdin?.end();
  child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString("utf8")).slice(-1000)));
  using _killed = killedBy(child, run.signal);
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) yield chunk;
  const code = await child.closed;
  run.signal.throwIfAborted();
  if (code !== 0) throw new GitError("git/not-found", `Cannot archive commit ${sha}: ${said.trim()}`);
}
