/**
 * Writes `docs/cli.md` from the commands themselves, so that it says what `--help` says: `node scripts/cli-page.ts`.
 * A test fails when the page is behind.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Argument, Command, Option } from "commander";
import { createProgram } from "../src/cli/program.ts";
import { finish, root, runSteps } from "./steps.ts";

const file = join(root, "docs", "cli.md");

const opening = `# The command line

\`tidegate <command> --help\` says what stands here; this page is made from it.

The commands talk to the server whose data folder \`TIDEGATE_HOME\` names (\`.tidegate\` in the present folder without
it; \`--home\` wins over both), with the admin token that lies there. To talk to a server elsewhere, set \`TIDEGATE_URL\`
and \`TIDEGATE_TOKEN\` ([tokens](tokens.md)).

Every command takes \`--json\` and then prints one JSON value and nothing else; \`run\` prints one
a line. Exit codes: 0 done, 1 failed or refused,
2 wrong usage, 130 interrupted. Messages go to standard error.
`;

/** The whole page, as it is before formatting. */
export function cliPage(): string {
  const program = createProgram();
  const sections = program.commands.flatMap((command) => [
    section(command, "tidegate", "##"),
    ...command.commands.map((inner) => section(inner, `tidegate ${command.name()}`, "###")),
  ]);
  return [opening, ...sections].join("\n");
}

function section(command: Command, prefix: string, level: string): string {
  const rows = [
    ...command.registeredArguments.map((argument) => row(argumentText(argument), argument)),
    ...command.options
      .filter(({ long }) => long !== "--home" && long !== "--json")
      .map((each) => row(each.flags, each)),
  ];
  const table = rows.length === 0 ? [] : ["", "| | |", "| --- | --- |", ...rows];
  const examples = examplesOf(command);
  const code = examples === "" ? [] : ["", "```console", examples, "```"];
  return [`${level} ${prefix} ${command.name()}`, "", `${command.description()}.`, ...table, ...code, ""].join("\n");
}

function row(name: string, { description, defaultValue }: Argument | Option): string {
  const none = defaultValue === undefined || (Array.isArray(defaultValue) && defaultValue.length === 0);
  const fallback = none ? "" : ` (default: \`${String(defaultValue)}\`)`;
  const text = description.replaceAll(/<([^>]+)>/g, "&lt;$1&gt;").replaceAll("|", "\\|");
  return `| \`${name}\` | ${text}${fallback} |`;
}

function argumentText(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

function examplesOf(command: Command): string {
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  const [, examples = ""] = help.split("\nExamples:\n");
  return examples.trimEnd().replaceAll(/^ {2}/gm, "");
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(file, cliPage());
  finish(runSteps([{ name: "format", command: "oxfmt", args: [file] }]));
}
