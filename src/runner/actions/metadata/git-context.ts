/** `context: git` of docker/metadata-action: what is checked out here, rather than what the run is about. */
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";

export interface GitContext {
  readonly ref: string;
  readonly sha: string;
  readonly commitDate: string;
}

export async function gitContext(call: ActionCall): Promise<GitContext> {
  const git = async (...args: string[]): Promise<string> => (await call.run("git", args, { quiet: true })).trim();
  const branch = await git("branch", "--show-current");
  const ref = branch === "" ? await detachedRef(git) : await git("symbolic-ref", "HEAD");
  const [sha = "", commitDate = ""] = (await git("show", "-s", "--format=%H %cI", "HEAD", "--")).split(" ");
  return { ref, sha, commitDate };
}

type Git = (...args: string[]) => Promise<string>;

/** Of a commit alone: the first of what names it, and otherwise of what contains it. */
async function detachedRef(git: Git): Promise<string> {
  const decoration = (await git("show", "-s", "--pretty=%D")).replace(/^grafted, /, "");
  if (decoration === "HEAD") return await containingRef(git);
  const named = /^HEAD, (.*)$/.exec(decoration)?.[1]?.trim() ?? "";
  if (named.startsWith("tag: ")) return await tagRef(git, named);
  if (/^pull\/\d+\/(?:head|merge)$/.test(named)) return `refs/${named}`;
  // `origin/main, main`, or `origin/main` alone.
  const branch = /^[^/]+\/[^/]+, (.+)$/.exec(named)?.[1] ?? /^[^/]+\/(.+)$/.exec(named)?.[1];
  if (branch !== undefined) return `refs/heads/${branch.trim()}`;
  throw new StepFailure(`Unsupported detached HEAD ref in "${decoration}"`);
}

async function tagRef(git: Git, named: string): Promise<string> {
  const refs = lines(await git("for-each-ref", "--format=%(refname)", "--points-at", "HEAD", "refs/tags/"));
  const longest = refs.toSorted((a, b) => b.length - a.length);
  const found = longest.find((ref) => `${named}, `.startsWith(`tag: ${ref.slice("refs/tags/".length)}, `)) ?? refs[0];
  if (found === undefined) throw new StepFailure(`Cannot find detached tag ref in "${named}"`);
  return found;
}

/** Empty where no branch and no tag has it, as after a fetch of one commit. */
async function containingRef(git: Git): Promise<string> {
  const newest = ["for-each-ref", "--format=%(refname)", "--contains", "HEAD", "--sort=-committerdate"];
  const [local] = lines(await git(...newest, "refs/heads/"));
  if (local !== undefined) return local;
  const [remote] = lines(await git(...newest, "refs/remotes/"));
  if (remote !== undefined) return remote.replace(/^refs\/remotes\/[^/]+\//, "refs/heads/");
  const [tag] = lines(await git("tag", "--contains", "HEAD"));
  return tag === undefined ? "" : `refs/tags/${tag}`;
}

function lines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}
