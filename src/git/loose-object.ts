/** Reads an object that git has stored in a file of its own: what a small push brings, each of its objects so. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import type { BatchObject } from "./cat-file.ts";

/** With its header; a commit is a few hundred bytes. */
const maxBytes = 64 * 1024;

/**
 * Undefined where it is in a pack, or too large, or anything is odd: git is asked then.
 *
 * @param objects the folder of objects, or that of a quarantine
 */
export async function readLooseObject(objects: string, sha: string): Promise<BatchObject | undefined> {
  try {
    const stored = await readFile(join(objects, sha.slice(0, 2), sha.slice(2)));
    const bytes = inflateSync(stored, { maxOutputLength: maxBytes });
    const end = bytes.indexOf(0);
    const [, type, size] = /^(\w+) (\d+)$/.exec(bytes.toString("latin1", 0, end)) ?? [];
    const content = bytes.subarray(end + 1);
    return type === undefined || Number(size) !== content.length ? undefined : { sha, type, content };
  } catch {
    return undefined;
  }
}
