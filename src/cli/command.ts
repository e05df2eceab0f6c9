/** What every command shares: global options, connecting, failing in one way. */
import { Command } from "commander";
import { errorMessage, isAbort, systemClock } from "#lib";
import { ConfigError } from "#server";
import { type Client, connect } from "./client.ts";
import { CliError } from "./errors.ts";
import { paint } from "./output.ts";

export interface GlobalOptions {
  readonly home?: string;
  readonly json?: boolean;
}

export interface Session extends GlobalOptions {
  readonly client: Client;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
}

/** A command with `--json`, `--home` and an example in its help. */
export function command(
  name: string,
  description: string,
  examples: readonly string[],
  json = "print one JSON value and nothing else",
): Command {
  return new Command(name)
    .description(description)
    .option("--home <folder>", "data folder (default: $TIDEGATE_HOME or .tidegate)")
    .option("--json", json)
    .addHelpText("after", `\nExamples:\n${examples.map((example) => `  $ ${example}`).join("\n")}`)
    .showHelpAfterError("(add --help for the options and examples)")
    .hook("preAction", (_hooked, acting) => takeOuterOptions(acting));
}

/**
 * Commander gives an option that an outer command knows too to the outer one, wherever it stands. So that
 * `rollout list --json` and `apps diff shop -n team` mean what they say, the inner command takes it back.
 */
function takeOuterOptions(acting: Command): void {
  for (let outer = acting.parent; outer !== null; outer = outer.parent) {
    for (const option of acting.options) {
      const key = option.attributeName();
      if (acting.getOptionValueSource(key) === "cli" || outer.getOptionValueSource(key) !== "cli") continue;
      acting.setOptionValueWithSource(key, outer.getOptionValue(key), "cli");
    }
  }
}

export async function openSession(options: GlobalOptions): Promise<Session> {
  return { ...options, client: await connect(options.home), signal: interruptSignal() };
}

let interrupted: AbortController | undefined;
let again: AbortController | undefined;

/** The same Ctrl-C can come twice: from the terminal, and passed on by the program that started us. */
const sameSignalMs = 300;

/** One signal for Ctrl-C, SIGTERM and a terminal that is closed; the second Ctrl-C ends the process at once. */
export function interruptSignal(): AbortSignal {
  if (interrupted !== undefined) return interrupted.signal;
  const controller = new AbortController();
  interrupted = controller;
  let firstMs = 0;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      const nowMs = systemClock.monotonicMs();
      if (!controller.signal.aborted) firstMs = nowMs;
      else if (nowMs - firstMs > sameSignalMs) {
        if (again === undefined || again.signal.aborted) process.exit(130);
        again.abort();
      }
      controller.abort();
    });
  }
  return controller.signal;
}

/** For what the first Ctrl-C only asks to end: aborts on the second, and the third ends the process. */
export function secondInterrupt(): AbortSignal {
  again ??= new AbortController();
  return again.signal;
}

/** Exit codes: 0 done, 1 failed or refused, 2 wrong usage, 130 interrupted. */
export function reportFailure(error: unknown): void {
  if (isAbort(error) && interrupted?.signal.aborted === true) {
    process.exitCode = 130;
    return;
  }
  const known = error instanceof CliError || error instanceof ConfigError || hasCode(error);
  const text = known ? errorMessage(error) : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${paint("error:", "red", process.stderr)} ${text}\n`);
  process.exitCode = hasCode(error) && wrongUsage.has(error.code) ? 2 : 1;
}

const wrongUsage: ReadonlySet<string> = new Set(["cli/usage", "server/local-usage"]);

function hasCode(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && "code" in error && typeof error.code === "string" && error.code.includes("/");
}
