import { accessSync, constants, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";

/** Where `program` is on `searchPath`, or undefined. Synchronous: it runs once or twice a step. */
export function findProgram(program: string, searchPath: string, cwd: string): string | undefined {
  const candidates = program.includes("/")
    ? [isAbsolute(program) ? program : resolve(cwd, program)]
    : searchPath
        .split(":")
        .filter((folder) => folder !== "")
        .map((folder) => join(resolve(cwd, folder), program));
  return candidates.find(isExecutableFile);
}

/** Asked for a miss, `access` would throw: an error with its stack costs more than all of the search. */
function isExecutableFile(path: string): boolean {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
