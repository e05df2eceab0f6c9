/**
 * The parent of every container process: a few lines of POSIX shell, so that the exit code is known even when the
 * control process was down, at the price of about 1 MB of memory.
 *
 * - `claim` (mkdir is atomic) decides between this start and a control process that came back and found no `pid`:
 *   whoever makes the folder wins, so a start is either seen or never happens.
 * - The traps keep the shell itself alive when its whole group is signalled; caught signals are at their default in the
 *   command. A shell that waits for a foreground command runs its traps afterwards, so `$?` is the command's.
 * - At the end the group is killed, the shell with it: what the command left in the background ends with it, as the
 *   processes of a container do when its first one ends.
 */
export const shimScript = `#!/bin/sh
folder=$1
shift
mkdir "$folder/claim" 2>/dev/null || exit 0
echo $$ > "$folder/pid.tmp" && mv "$folder/pid.tmp" "$folder/pid" || exit 1
trap : HUP INT QUIT TERM USR1 USR2 ALRM PIPE WINCH
exec 3>&2 2>/dev/null
"$@" 2>&3 3>&-
code=$?
echo $code > "$folder/exit.tmp" && mv "$folder/exit.tmp" "$folder/exit"
kill -KILL -- -$$
exit $code
`;
