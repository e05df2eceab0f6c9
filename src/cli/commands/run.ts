import { readFile } from "node:fs/promises";
import { availableParallelism, userInfo } from "node:os";
import { join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { createLog, formatProblems, hasErrors, readFileIfExists, systemClock, systemIds, toTextLine } from "#lib";
import {
  LocalActions,
  localEnvironment,
  type LocalEvent,
  type LocalRequest,
  type LocalResult,
  readPayload,
} from "#server";
import { command, type GlobalOptions, interruptSignal, secondInterrupt } from "../command.ts";
import { CliError } from "../errors.ts";
import { brief } from "../local/brief-event.ts";
import { LocalPrinter } from "../local/local-printer.ts";
import { readMatrix, readPairs, readPairsFile, splitPair } from "../local/pairs.ts";
import { print, printJson, table } from "../output.ts";
import { readValue } from "../read-value.ts";

type Wish = Pick<LocalRequest, "target" | "event" | "jobs" | "hasInputs">;

interface RunOptions extends GlobalOptions {
  readonly job: readonly string[];
  readonly event?: string;
  readonly eventpath?: string;
  readonly workflows?: string;
  readonly directory: string;
  readonly list?: boolean;
  readonly dryrun?: boolean;
  readonly plan?: boolean;
  readonly secret: readonly string[];
  readonly secretFile?: string;
  readonly var: readonly string[];
  readonly varFile?: string;
  readonly env: readonly string[];
  readonly envFile?: string;
  readonly input: readonly string[];
  readonly inputFile?: string;
  readonly matrix: readonly string[];
  readonly platform: readonly string[];
  readonly localRepository: readonly string[];
  readonly bind?: boolean;
  readonly actor?: string;
  readonly concurrentJobs?: string;
  readonly artifactServerPath?: string;
  readonly cacheServerPath?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

function collect(word: string, before: readonly string[]): readonly string[] {
  return [...before, word];
}

export function runCommand(): Command {
  const examples = [
    "tidegate run",
    "tidegate run ci.yml -j test --matrix node:26",
    "tidegate run pull_request -e pull-request.json -s NPM_TOKEN",
    "tidegate run --list",
  ];
  const json = "print one JSON value a line as things happen, the result last, and nothing else";
  return command("run", "Run workflows of this folder, changes included, without a server", examples, json)
    .argument("[workflow]", "a workflow file, its name, or the name of an event (default: all that a push starts)")
    .option("-j, --job <key>", "run this job and what it needs; may be repeated", collect, [])
    .option("--event <event>", "name of the event, or a JSON file with its payload")
    .option("-e, --eventpath <file>", "JSON file with the payload of the event")
    .option("-W, --workflows <path>", "a workflow file, or a folder of them, in place of those of the repository")
    .option("-C, --directory <folder>", "the working tree", ".")
    .option("-l, --list", "list the jobs and end")
    .option("-n, --dryrun", "say which jobs and steps would run, without running them")
    .option("--plan", "the same as --dryrun")
    .option("-s, --secret <name[=value]>", "a secret; without value from the environment, else asked for", collect, [])
    .option("--secret-file <file>", "secrets, as .env files are written (default: .secrets, if there)")
    .option("--var <name=value>", "a variable of the context vars", collect, [])
    .option("--var-file <file>", "such variables (default: .vars, if there)")
    .option("--env <name=value>", "an environment variable of all steps", collect, [])
    .option("--env-file <file>", "such environment variables (default: .env, if there)")
    .option("--input <name=value>", "an input of workflow_dispatch", collect, [])
    .option("--input-file <file>", "such inputs (default: .input, if there)")
    .option("--matrix <key:value>", "only combinations with this value; may be repeated", collect, [])
    .option("-P, --platform <label>", "run jobs for this label here too, e.g. windows-latest", collect, [])
    .option("--local-repository <owner/name=folder>", "where another repository lies, to call and use it", collect, [])
    .option("-b, --bind", "let jobs work in this folder itself, not in a copy")
    .option("-a, --actor <name>", "who did it (default: the user of this machine)")
    .option("--concurrent-jobs <number>", "jobs at once (default: the number of cores)")
    .option("--artifact-server-path <folder>", "where artifacts are put (default: in the user's cache folder)")
    .option("--cache-server-path <folder>", "where caches are kept (default: in the user's cache folder)")
    .option("-q, --quiet", "leave out what steps print")
    .option("-v, --verbose", "tell what the engine does, on standard error")
    .action(run);
}

async function run(target: string | undefined, options: RunOptions): Promise<void> {
  const cancel = interruptSignal();
  const actions = await LocalActions.open(await localOptions(options, cancel), cancel);
  if (options.list === true) return listJobs(actions, await wishOf(target, options), options);
  const request = await localRequest(target, options);
  const kill = secondInterrupt();
  if (options.dryrun === true || options.plan === true) return await dryRun(actions, request, options, cancel);
  const json = options.json === true;
  const printer = new LocalPrinter(print, options.quiet === true);
  const onEvent = (event: LocalEvent): void => {
    const told = "run" in event ? { ...event, run: placedRun(actions, event.run) } : event;
    if (json) printLine(brief(told));
    else printer.tell(told);
  };
  const result = await actions.run(request, onEvent, { cancel, kill });
  const placed = { ...result, runs: result.runs.map((one) => placedRun(actions, one)) };
  if (json) printLine({ kind: "result", ...placed });
  else printer.result(placed);
  const unreadable = target === undefined ? actions.unreadable : [];
  tellProblems(actions, unreadable);
  process.exitCode = exitCode(result, cancel, hasErrors(unreadable));
}

function printLine(value: object): void {
  print(JSON.stringify(value));
}

type Run = LocalResult["runs"][number];

function placedRun(actions: LocalActions, run: Run): Run {
  return { ...run, problems: placedHere(actions, run.problems) };
}

function exitCode({ runs }: LocalResult, cancel: AbortSignal, broken: boolean): number {
  if (cancel.aborted) return 130;
  return !broken && runs.every(({ conclusion }) => conclusion === "success" || conclusion === "skipped") ? 0 : 1;
}

function tellProblems(actions: LocalActions, found: LocalActions["problems"]): void {
  const problems = placedHere(actions, found);
  if (problems.length > 0) process.stderr.write(`${formatProblems(problems)}\n`);
}

function placedHere(actions: LocalActions, problems: LocalActions["problems"]): LocalActions["problems"] {
  const here = (file: string): string => relative(".", join(actions.tree.folder, file));
  return actions
    .placed(problems)
    .map((problem) =>
      problem.at === undefined ? problem : { ...problem, at: { ...problem.at, file: here(problem.at.file) } },
    );
}

async function localOptions(
  options: RunOptions,
  signal: AbortSignal,
): Promise<Parameters<typeof LocalActions.open>[0]> {
  const { env, cacheFolder, nodePath, variable } = localEnvironment();
  const level = options.verbose === true ? "debug" : "error";
  const { directory: folder, workflows } = options;
  const kept = (given: string | undefined, name: string): string => resolve(given ?? join(cacheFolder, "run", name));
  const jobs =
    options.concurrentJobs === undefined ? Math.max(2, availableParallelism()) : Number(options.concurrentJobs);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > 256)
    throw new CliError("cli/usage", `--concurrent-jobs takes a number from 1 to 256: not "${options.concurrentJobs}"`);
  return {
    folder,
    ...(workflows === undefined ? {} : { workflows: resolve(folder, workflows) }),
    repositories: localRepositories(options.localRepository),
    bind: options.bind === true,
    secrets: await secretsOf(options, variable, signal),
    variables: { ...(await readPairsFile(options.varFile, join(folder, ".vars"))), ...readPairs(options.var, "--var") },
    jobs,
    keep: {
      caches: kept(options.cacheServerPath, "caches"),
      artifacts: kept(options.artifactServerPath, "artifacts"),
      tools: kept(undefined, "tools"),
      actions: kept(undefined, "actions"),
    },
    env,
    nodePath,
    clock: systemClock,
    ids: systemIds,
    log: createLog((entry) => void process.stderr.write(`${toTextLine(entry, systemClock.now())}\n`), level),
  };
}

async function secretsOf(
  options: RunOptions,
  variable: (name: string) => string | undefined,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const secrets = await readPairsFile(options.secretFile, join(options.directory, ".secrets"));
  for (const word of options.secret) {
    const [name, value] = splitPair(word);
    secrets[name.toUpperCase()] = value ?? variable(name) ?? (await readValue(name, signal));
  }
  return secrets;
}

/** The reference of `owner/name@ref=folder` says nothing here: the folder is as it is. */
function localRepositories(words: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(readPairs(words, "--local-repository")).map(([name, folder]) => [name.replace(/@.*$/, ""), folder]),
  );
}

async function localRequest(target: string | undefined, options: RunOptions): Promise<LocalRequest> {
  const { directory } = options;
  const inputs = {
    ...(await readPairsFile(options.inputFile, join(directory, ".input"))),
    ...readPairs(options.input, "--input"),
  };
  const env = {
    ...(await readPairsFile(options.envFile, join(directory, ".env"))),
    ...readPairs(options.env, "--env"),
  };
  const file = options.eventpath ?? (await eventFile(options.event));
  const foreign = process.platform === "darwin" ? ["windows"] : ["windows", "macos"];
  const taken = options.platform.map((word) => splitPair(word)[0].toLowerCase());
  const labels = foreign.filter((start) => !taken.some((label) => label.startsWith(start)));
  return {
    ...(await wishOf(target, options)),
    payload: file === undefined ? {} : await payloadOf(file),
    inputs,
    narrowing: { env, matrixBut: readMatrix(options.matrix), labels },
    actor: options.actor ?? userInfo().username,
  };
}

async function wishOf(target: string | undefined, options: RunOptions): Promise<Wish> {
  const isFile = options.eventpath === undefined && (await eventFile(options.event)) !== undefined;
  const event = isFile ? undefined : options.event;
  return {
    ...(target === undefined ? {} : { target }),
    ...(event === undefined ? {} : { event }),
    jobs: options.job,
    hasInputs: options.input.length > 0 || options.inputFile !== undefined,
  };
}

/** `--event` names a file when there is one. */
async function eventFile(event: string | undefined): Promise<string | undefined> {
  if (event === undefined) return undefined;
  return event.endsWith(".json") || (await readFileIfExists(event).catch(() => undefined)) !== undefined
    ? event
    : undefined;
}

async function payloadOf(file: string): Promise<LocalRequest["payload"]> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new CliError("cli/usage", `Cannot read the event "${file}": there is no such file`, { cause });
  });
  const { value, problems } = readPayload(file, text);
  if (value === undefined) throw new CliError("cli/usage", formatProblems(problems));
  return value;
}

function listJobs(actions: LocalActions, wish: Wish, options: RunOptions): void {
  const jobs = actions.list(wish);
  if (options.json === true) printJson(jobs);
  else {
    tellProblems(actions, actions.problems);
    const rows = jobs.map(({ key, name, file, needs, events }) => [key, name, file, needs.join(","), events.join(",")]);
    print(rows.length === 0 ? "No workflow is here" : table(["job", "name", "file", "needs", "events"], rows));
  }
  if (hasErrors(actions.problems)) process.exitCode = 1;
}

async function dryRun(
  actions: LocalActions,
  request: LocalRequest,
  options: RunOptions,
  signal: AbortSignal,
): Promise<void> {
  const { runs, jobs } = await actions.plan(request, signal);
  const problems = placedHere(
    actions,
    runs.flatMap((one) => one.problems),
  );
  if (options.json === true) printJson({ jobs, problems, runs });
  else {
    if (problems.length > 0) print(formatProblems(problems));
    for (const { name, steps } of jobs) print([name, ...steps.map((step) => `  ${step}`)].join("\n"));
    for (const job of runs.flatMap((one) => one.jobs)) {
      if (job.conclusion !== "success")
        print(`${job.name}: ${job.conclusion ?? ""}${job.message === undefined ? "" : `, ${job.message}`}`);
    }
  }
  process.exitCode = runs.some(({ conclusion }) => conclusion === "failure") ? 1 : 0;
}
