/**
 * The hooks by which a git process asks the server. They speak over file descriptor 3, a socket inherited through git
 * from the server that started it: no address to find, no secret to pass, and when the server dies the read ends, the
 * hook fails, and git moves nothing.
 *
 * Only shell builtins: on a push two or three of these run, each for about 1 ms.
 *
 * Requests are lines, ended by a line with a dot; refs never look like one. Answers are one line.
 */
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "#lib";

const preReceive = `#!/bin/sh
# Asks the server whether this push may move refs; its objects are still in quarantine.
{
  printf '%s\\n' pre-receive "$GIT_QUARANTINE_PATH" "$GIT_ALTERNATE_OBJECT_DIRECTORIES"
  while read -r line; do printf '%s\\n' "$line"; done
  printf '.\\n'
} >&3 || exit 1
read -r answer <&3 && [ "$answer" = ok ]
`;

const referenceTransaction = `#!/bin/sh
# "prepared": refs are locked and about to move; the server notes the intent, then allows it.
case "$1" in
prepared | committed | aborted) ;;
*) exit 0 ;;
esac
{
  printf '%s\\n' "$1"
  while read -r line; do printf '%s\\n' "$line"; done
  printf '.\\n'
} >&3 || exit 1
[ "$1" = prepared ] || exit 0
read -r answer <&3 && [ "$answer" = ok ]
`;

/** Writes the hooks, whole or not at all. */
export async function installHooks(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of [
    ["pre-receive", preReceive],
    ["reference-transaction", referenceTransaction],
  ] as const) {
    const file = join(folder, name);
    await writeFileAtomic(file, text, 0o755);
    // The umask may have taken the bit that makes it run.
    await chmod(file, 0o755);
  }
}
