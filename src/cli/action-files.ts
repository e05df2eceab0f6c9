/** Files of a working tree that name actions. */
import { opendir } from "node:fs/promises";
import { join } from "node:path";

const passedOver: ReadonlySet<string> = new Set(["node_modules", ".git", "vendor", "dist"]);
const hiddenLooked: ReadonlySet<string> = new Set([".github", ".forgejo"]);

/** Paths of workflows, and of actions wherever they are, in the order of their names. */
export async function actionFiles(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  const open = [""];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for await (const entry of await opendir(join(root, folder))) {
      const path = join(folder, entry.name);
      if (entry.isFile() && namesActions(path)) found.push(path);
      if (!entry.isDirectory() || passedOver.has(entry.name)) continue;
      if (!entry.name.startsWith(".") || hiddenLooked.has(entry.name)) open.push(path);
    }
  }
  return found.toSorted();
}

function namesActions(path: string): boolean {
  return /^\.(?:github|forgejo)\/workflows\/[^/]+\.ya?ml$/.test(path) || /(?:^|\/)action\.ya?ml$/.test(path);
}
