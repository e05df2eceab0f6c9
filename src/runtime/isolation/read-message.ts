import { join } from "node:path";
import { readInTree } from "../process/read-in-tree.ts";
import { messageFile } from "./isolated-launch.ts";

/** What an isolated container left at `path`: its own changes first, the image below, since both are apart once it ended. */
export async function readMessage(folder: string, path: string, maxBytes: number): Promise<string> {
  if (path === "/dev/termination-log") return await readInTree(folder, messageFile, maxBytes);
  for (const tree of ["upper", "root"]) {
    const text = await readInTree(join(folder, tree), path, maxBytes);
    if (text !== "") return text;
  }
  return "";
}
