/** Every command in one program, in the order in which help lists them. */
import { Command } from "commander";
import { version } from "#server";
import { actionsCommand } from "./commands/actions.ts";
import { appsCommand, syncCommand } from "./commands/apps.ts";
import { cacheCommand } from "./commands/artifacts.ts";
import { credentialCommand } from "./commands/credential.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { downCommand } from "./commands/down.ts";
import { environmentCommand } from "./commands/environment.ts";
import { initCommand } from "./commands/init.ts";
import { kubeconfigCommand } from "./commands/kubeconfig.ts";
import { lintCommand } from "./commands/lint.ts";
import { logsCommand } from "./commands/logs.ts";
import { prCommand } from "./commands/pr.ts";
import { repoCommand } from "./commands/repo.ts";
import { rolloutCommand } from "./commands/rollout.ts";
import { runCommand } from "./commands/run.ts";
import { runnerCommand } from "./commands/runner.ts";
import { runsCommand } from "./commands/runs.ts";
import { secretCommand } from "./commands/secret.ts";
import { statusCommand } from "./commands/status.ts";
import { tokenCommand } from "./commands/token.ts";
import { traceCommand } from "./commands/trace.ts";
import { upCommand } from "./commands/up.ts";
import { variableCommand } from "./commands/variable.ts";
import { workflowCommand } from "./commands/workflow.ts";

const commands = [
  upCommand,
  downCommand,
  demoCommand,
  initCommand,
  statusCommand,
  traceCommand,
  runCommand,
  runsCommand,
  workflowCommand,
  runnerCommand,
  actionsCommand,
  logsCommand,
  appsCommand,
  syncCommand,
  repoCommand,
  prCommand,
  rolloutCommand,
  secretCommand,
  variableCommand,
  environmentCommand,
  cacheCommand,
  lintCommand,
  tokenCommand,
  kubeconfigCommand,
  credentialCommand,
  doctorCommand,
] as const;

const start = `
Start here:
  $ tidegate demo     # the whole promise in about a minute
  $ tidegate up       # keep it running
  $ tidegate init     # deliver your own application`;

/** On wrong usage, and after help that was asked for, it throws a CommanderError instead of ending the process. */
export function createProgram(): Command {
  const program = new Command("tidegate")
    .description("From a commit to production without downtime, and back again by itself when the release is bad")
    .version(version())
    .showHelpAfterError("(add --help for commands and examples)")
    .addHelpText("after", start);
  for (const create of commands) program.addCommand(create());
  throwAtExit(program);
  return program;
}

function throwAtExit(command: Command): void {
  command.exitOverride();
  for (const inner of command.commands) throwAtExit(inner);
}
