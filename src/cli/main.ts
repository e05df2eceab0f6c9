/** The command line: one file a command; it speaks HTTP with the server, and starts it. */
import { errorCode } from "#lib";
import { interruptSignal, reportFailure } from "./command.ts";
import { createProgram } from "./program.ts";

// `tidegate runs | head` closes the pipe early, which is no failure.
process.stdout.on("error", (error) => {
  if (errorCode(error) !== "EPIPE") throw error;
  process.exit();
});

try {
  interruptSignal();
  await createProgram().parseAsync();
} catch (error) {
  // Wrong usage is exit code 2, as everywhere; help that was asked for is 0.
  const code = error instanceof Error && "exitCode" in error ? Number(error.exitCode) : undefined;
  if (code === undefined) reportFailure(error);
  else process.exitCode = code === 0 ? 0 : 2;
}
