/** The command line: one file a command; it speaks HTTP with the server, and starts it. */
import { Command } from "commander";
import { interruptSignal, reportFailure } from "./command.ts";
import { appsCommand, syncCommand } from "./commands/apps.ts";
import { credentialCommand } from "./commands/credential.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { downCommand } from "./commands/down.ts";
import { initCommand } from "./commands/init.ts";
import { logsCommand } from "./commands/logs.ts";
import { rolloutCommand } from "./commands/rollout.ts";
import { runsCommand } from "./commands/runs.ts";
import { statusCommand } from "./commands/status.ts";
import { tokenCommand } from "./commands/token.ts";
import { traceCommand } from "./commands/trace.ts";
import { upCommand } from "./commands/up.ts";
import { version } from "#server";

const program = new Command("tidegate")
  .description("From a commit to production without downtime, and back again by itself when the release is bad")
  .version(version())
  .showHelpAfterError("(add --help for commands and examples)")
  .addHelpText(
    "after",
    "\nStart here:\n  $ tidegate demo     # the whole promise in about a minute\n  $ tidegate up       # keep it running\n  $ tidegate init     # deliver your own application",
  );

for (const create of [
  upCommand,
  downCommand,
  demoCommand,
  initCommand,
  statusCommand,
  traceCommand,
  runsCommand,
  logsCommand,
  appsCommand,
  syncCommand,
  rolloutCommand,
  tokenCommand,
  credentialCommand,
  doctorCommand,
]) {
  program.addCommand(create());
}
// Wrong usage is exit code 2, as everywhere; help that was asked for is 0.
program.exitOverride();
for (const command of program.commands) exitCodes(command);

function exitCodes(command: Command): void {
  command.exitOverride();
  for (const inner of command.commands) exitCodes(inner);
}

try {
  interruptSignal();
  await program.parseAsync();
} catch (error) {
  const code = error instanceof Error && "exitCode" in error ? Number(error.exitCode) : undefined;
  if (code === undefined) reportFailure(error);
  else process.exitCode = code === 0 ? 0 : 2;
}
