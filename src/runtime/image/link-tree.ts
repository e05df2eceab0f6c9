/**
 * A private copy of an unpacked image by hard links: what a pod creates, removes, renames or replaces is its own, at
 * the price of one link a file and no bytes. Only writing *into* a file that came with the image would reach the other
 * pods; such files are read-only, so that takes a process that runs as root or changes the mode first.
 */
import { copyFileSync, linkSync, lstatSync, mkdirSync, opendirSync, readlinkSync, symlinkSync } from "node:fs";
import { setImmediate as breathe } from "node:timers/promises";
import { join } from "node:path";
import { errorCode } from "#lib";

/** Links made before other work gets its turn: about a millisecond's worth. */
const batch = 200;

export async function linkTree(from: string, to: string, signal: AbortSignal): Promise<void> {
  mkdirSync(to, { recursive: true });
  const folders: [string, string][] = [[from, to]];
  let made = 0;
  for (let pair = folders.pop(); pair !== undefined; pair = folders.pop()) {
    const [source, target] = pair;
    using folder = opendirSync(source);
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
      const [here, there] = [join(source, entry.name), join(target, entry.name)];
      if (entry.isDirectory()) {
        mkdirSync(there, { mode: lstatSync(here).mode & 0o777 });
        folders.push([here, there]);
      } else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(here), there);
      else linkOrCopy(here, there);
      if (++made % batch === 0) {
        signal.throwIfAborted();
        await breathe();
      }
    }
  }
}

/** File systems limit the links of one file (ext4: 65,000); the copy starts a new count. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (errorCode(error) !== "EMLINK" && errorCode(error) !== "EXDEV" && errorCode(error) !== "EPERM") throw error;
    copyFileSync(from, to);
  }
}
