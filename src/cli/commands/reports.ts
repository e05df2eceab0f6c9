/** `runs coverage` and `runs findings`: what the jobs of a run have reported of the code. */
import type { Command } from "commander";
import { percent, type RunCoverage, type RunFindings } from "#api";
import { command, type GlobalOptions, openSession } from "../command.ts";
import { print, printJson, table } from "../output.ts";

export function addReportCommands(runs: Command): void {
  runs.addCommand(
    command("coverage", "Show how much of the code the tests of a run have run", [
      "tidegate runs coverage 12",
      "tidegate runs coverage 12 --limit 1000",
    ])
      .argument("<run>")
      .option("--limit <number>", "how many files, the least covered first", "20")
      .action(showCoverage),
  );
  runs.addCommand(
    command("findings", "Show what scanners have found in a run", [
      "tidegate runs findings 12",
      "tidegate runs findings 12 --level error",
    ])
      .argument("<run>")
      .option("--level <level>", "only error, warning or note")
      .action(showFindings),
  );
}

async function showCoverage(run: string, options: GlobalOptions & { readonly limit: string }): Promise<void> {
  const { client, signal } = await openSession(options);
  const coverage = await client.api<RunCoverage>(`/runs/${encodeURIComponent(run)}/coverage`, { signal });
  if (options.json === true) return printJson(coverage);
  const { lines, covered, files, uploads } = coverage;
  if (uploads.length === 0) {
    print(`Run ${run} has no coverage: upload a report with codecov/codecov-action.`);
    return;
  }
  print(`${percent(covered, lines)} of ${lines} lines in ${files.length} files, from ${uploads.length} reports`);
  for (const { job, name, flags } of uploads) {
    const words = [name, ...flags].filter((word) => word !== "").join(", ");
    print(`  ${job}${words === "" ? "" : `: ${words}`}`);
  }
  const shown = files.slice(0, Number(options.limit));
  const rows = shown.map((file) => [file.path, percent(file.covered, file.lines), `${file.covered}/${file.lines}`]);
  print(table(["file", "covered", "lines"], rows));
  if (files.length > shown.length) print(`and ${files.length - shown.length} files more: see them with --limit`);
}

async function showFindings(run: string, options: GlobalOptions & { readonly level?: string }): Promise<void> {
  const { client, signal } = await openSession(options);
  const findings = await client.api<RunFindings>(`/runs/${encodeURIComponent(run)}/findings`, { signal });
  if (options.json === true) return printJson(findings);
  if (findings.uploads.length === 0) {
    print(`Run ${run} has no findings: upload SARIF with github/codeql-action/upload-sarif.`);
    return;
  }
  const items = findings.items.filter(({ level }) => options.level === undefined || level === options.level);
  for (const { path, line, column, level, tool, rule, message } of items) {
    const place = path === undefined ? "" : `${[path, line, column].filter((part) => part !== undefined).join(":")}: `;
    print(`${place}${level}: ${message.split("\n")[0] ?? ""} [${tool}/${rule}]`);
  }
  print(items.length === 0 ? "Nothing was found." : `${items.length} ${items.length === 1 ? "finding" : "findings"}`);
}
