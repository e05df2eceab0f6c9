/** `hostPath.type`: what must be at a path of the machine before a pod uses it, or is made there. */
import { type Stats } from "node:fs";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { errorCode } from "#lib";

/** What is wrong with the path, in kubelet's words; undefined when nothing is. */
export async function readyHostPath(path: string, type: string | undefined): Promise<string | undefined> {
  const found = await lookAt(path);
  switch (type ?? "") {
    case "":
      return undefined;
    case "DirectoryOrCreate":
      if (found === undefined) await mkdir(path, { recursive: true, mode: 0o755 });
      return found === undefined || found.isDirectory() ? undefined : failed(`${path} is not a directory`);
    case "Directory":
      return found?.isDirectory() === true ? undefined : failed(`${path} is not a directory`);
    case "FileOrCreate":
      if (found === undefined) await writeFile(path, "", { mode: 0o644, flag: "a" });
      return found === undefined || found.isFile() ? undefined : failed(`${path} is not a file`);
    case "File":
      return found?.isFile() === true ? undefined : failed(`${path} is not a file`);
    case "Socket":
      return found?.isSocket() === true ? undefined : failed(`${path} is not a socket file`);
    case "CharDevice":
      return found?.isCharacterDevice() === true ? undefined : failed(`${path} is not a character device`);
    case "BlockDevice":
      return found?.isBlockDevice() === true ? undefined : failed(`${path} is not a block device`);
    default:
      return failed(`${type} is an invalid volume type`);
  }
}

function failed(what: string): string {
  return `hostPath type check failed: ${what}`;
}

async function lookAt(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
