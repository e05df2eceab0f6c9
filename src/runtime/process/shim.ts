/**
 * The parent of every container process: a few lines of POSIX shell, so that the exit code is known even when the
 * control process was down, at the price of about 1 MB of memory.
 *
 * - `claim` (mkdir is atomic) decides between this start and a control process that came back and found no `pid`:
 *   whoever makes the folder wins, so a start is either seen or never happens.
 * - The traps keep the shell itself alive when its whole group is signalled; caught signals are at their default in the
 *   command. A shell that waits for a foreground command runs its traps afterwards, so `$?` is the command's.
 * - `stdin` is a named pipe. A process that does nothing holds it open for writing, so that it ends with the container, or
 *   when that process is killed; its pid is in `stdin-holder`.
 * - `tty` names a pseudo-terminal, whose master comes as file 4 and whose other side, held so that the master does not
 *   end before the command has opened it, as 5. One `cat` carries what the command writes to the log, another what is
 *   typed to the command. The command leads a session of its own (`session` has its pid), as a terminal demands. What
 *   carries and holds is deaf to the signals that stop the command: its last words come through.
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
immune='trap "" HUP INT QUIT TERM USR1 USR2 ALRM PIPE WINCH; exec "$@"'
if [ -p "$folder/stdin" ]; then
  sh -c "$immune" sh sleep 2147483647 >"$folder/stdin" 3>&- 4<&- 5<&- &
  echo $! > "$folder/stdin-holder"
fi
if [ -f "$folder/tty" ]; then
  read -r tty < "$folder/tty"
  sh -c "$immune" sh cat <&4 >&1 3>&- 4<&- 5<&- &
  output=$!
  [ -p "$folder/stdin" ] && sh -c "$immune" sh cat <"$folder/stdin" >&4 3>&- 4<&- 5<&- &
  setsid sh -c 'echo $$ >"$0"; tty=$1; shift; exec "$@" <>"$tty" >&0 2>&0' "$folder/session" "$tty" "$@" 2>&3 3>&- 4<&- 5<&-
  code=$?
  exec 4<&- 5<&-
  (sleep 1; kill -KILL $output) >&- &
  wait $output
elif [ -p "$folder/stdin" ]; then
  "$@" <"$folder/stdin" 2>&3 3>&-
  code=$?
else
  "$@" 2>&3 3>&-
  code=$?
fi
echo $code > "$folder/exit.tmp" && mv "$folder/exit.tmp" "$folder/exit"
kill -KILL -- -$$
exit $code
`;
