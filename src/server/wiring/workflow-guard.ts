/**
 * The token of a job does not change what runs with tokens of jobs: as on GitHub, where its token lacks a permission for
 * workflow files that `permissions` cannot give. So a job that is tricked cannot leave behind one that runs again.
 */
import type { ObjectReader } from "#git";
import { workflowFolders } from "./action-files.ts";

/** As GitHub says it. */
export function workflowRefusal(path: string): string {
  return `refusing to allow a GitHub App to create or update workflow \`${path}\` without \`workflows\` permission`;
}

type Objects = Pick<ObjectReader, "edges" | "idsOf" | "isAncestor" | "listFiles" | "mergeBase">;

interface Move {
  readonly before: string;
  readonly after: string;
}

/** A workflow file that the move of a branch or tag would change. */
export async function changedWorkflow(objects: Objects, move: Move): Promise<string | undefined> {
  const bases = await basesOf(objects, move);
  const wanted = (await folderIds(objects, move.after)).join(" ");
  for (const base of bases) {
    if ((await folderIds(objects, base)).join(" ") === wanted) return undefined;
  }
  const hasNone = wanted.trim() === "" && bases.length === 0;
  return hasNone ? undefined : await firstChange(objects, bases[0], move.after);
}

/**
 * The commits whose workflow files the new one may have. A branch that goes forward has the files that it had: what
 * others wrote on another branch is a change when it is merged. A new one begins anywhere. One that goes elsewhere, as
 * a branch that is rebased does, has those of what it stands on now.
 */
async function basesOf(objects: Objects, { before, after }: Move): Promise<readonly string[]> {
  if (/^0+$/.test(before)) return await objects.edges(after);
  if (await objects.isAncestor(before, after)) return [before];
  const edges = (await objects.edges(after)).filter((edge) => edge !== after);
  const main = await objects.mergeBase(after, "HEAD");
  return [before, ...(main === undefined ? [] : [main]), ...edges];
}

async function folderIds(objects: Objects, sha: string): Promise<readonly string[]> {
  const ids = await objects.idsOf(sha, workflowFolders);
  return workflowFolders.map((folder) => ids.get(folder) ?? "");
}

async function firstChange(objects: Objects, base: string | undefined, after: string): Promise<string> {
  const [former, now] = await Promise.all([
    base === undefined ? new Map() : filesOf(objects, base),
    filesOf(objects, after),
  ]);
  const paths = [...new Set([...now.keys(), ...former.keys()])];
  return paths.find((path) => former.get(path) !== now.get(path)) ?? workflowFolders[0];
}

async function filesOf(objects: Objects, sha: string): Promise<ReadonlyMap<string, string>> {
  const listed = await Promise.all(workflowFolders.map((folder) => objects.listFiles(sha, folder)));
  return await objects.idsOf(sha, listed.flat());
}
