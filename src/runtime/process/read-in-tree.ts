import { open } from "node:fs/promises";
import { resolveInTree } from "../image/tree-path.ts";

/** The beginning of a file that a container may have written at `path` of its own tree; "" when there is none. */
export async function readInTree(tree: string, path: string, maxBytes: number): Promise<string> {
  const found = await resolveInTree(tree, path, true);
  if (found === undefined) return "";
  try {
    await using file = await open(found, "r");
    const buffer = Buffer.alloc(maxBytes);
    const { bytesRead } = await file.read(buffer, 0, maxBytes, 0);
    return buffer.subarray(0, bytesRead).toString("utf8");
  } catch {
    // Nothing was written, or something there is no file.
    return "";
  }
}
