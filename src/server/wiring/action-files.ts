/** The files of a commit that name actions, and those that say which it may use. */
import type { ObjectReader } from "#git";
import {
  actionLockPath,
  actionPolicyPath,
  isActionFile,
  isWorkflowPath,
  type RuleTexts,
  type WorkflowText,
} from "#workflows";

export const workflowFolders = [".github/workflows", ".forgejo/workflows"] as const;

export interface CommitFiles {
  readonly workflows: readonly WorkflowText[];
  /** Of actions where people keep their own; the tree is not looked through for more. */
  readonly manifests: readonly WorkflowText[];
  readonly rules: RuleTexts;
}

export async function commitFiles(objects: ObjectReader, sha: string): Promise<CommitFiles> {
  const listed = await Promise.all(workflowFolders.map((folder) => objects.listFiles(sha, folder)));
  const own = (await objects.listFiles(sha, ".github/actions")).filter(isActionFile);
  const manifests = ["action.yml", "action.yaml", ...own];
  const wanted = [...listed.flat().filter(isWorkflowPath), ...manifests, actionPolicyPath, actionLockPath];
  const files = await objects.readFiles(sha, wanted);
  const texts = [...files].map(([path, content]) => ({ path, text: content.toString("utf8") }));
  const policy = texts.find(({ path }) => path === actionPolicyPath)?.text;
  const lock = texts.find(({ path }) => path === actionLockPath)?.text;
  return {
    workflows: texts.filter(({ path }) => isWorkflowPath(path)),
    manifests: texts.filter(({ path }) => isActionFile(path)),
    rules: { ...(policy === undefined ? {} : { policy }), ...(lock === undefined ? {} : { lock }) },
  };
}
