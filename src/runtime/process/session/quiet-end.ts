/**
 * Ends the output of a command that has ended, though something it left behind holds it open: once everything that was
 * written has been read, and nothing more came for a while.
 */
import type { Readable } from "node:stream";
import type { Clock } from "#lib";

const lookEveryMs = 250;
const quietLooks = 2;

/** @param bytesRead what has come out of the kernel so far */
export function endWhenQuiet(output: Readable, bytesRead: () => number, clock: Clock): void {
  let seen = -1;
  let quiet = 0;
  function look(): void {
    if (output.readableEnded || output.destroyed) return;
    // What a slow reader has not taken yet stands in the buffer: that is no quiet.
    quiet = bytesRead() === seen && output.readableLength === 0 ? quiet + 1 : 0;
    seen = bytesRead();
    if (quiet >= quietLooks) output.push(null);
    else clock.schedule(lookEveryMs, look);
  }
  look();
}
