/** `codecov/codecov-action`: coverage reports are found and read here, and kept with the run. */
import { readFile, stat } from "node:fs/promises";
import { isAbsolute, join, relative, resolve } from "node:path";
import picomatch from "picomatch";
import { gzipSync } from "node:zlib";
import { maxCoveredFiles, percent, type CoveredFile } from "#api";
import { StepFailure } from "../../errors.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { coveredFiles } from "../covered/coverage-report.ts";
import { readWorkspace, type Workspace } from "../covered/find-reports.ts";
import { readCoverage, type ReadReport } from "../covered/read-coverage.ts";
import { glob } from "../files/glob.ts";
import { patternPlace } from "../files/place.ts";
import { JobServices } from "../services/job-services.ts";

const maxReportBytes = 128 * 1024 * 1024;

const ignored = [
  "base_sha",
  "binary",
  "codecov_yml_path",
  "commit_parent",
  "disable_file_fixes",
  "disable_safe_directory",
  "disable_telem",
  "env_vars",
  "force",
  "functionalities",
  "gcov_args",
  "gcov_executable",
  "gcov_ignore",
  "gcov_include",
  "git_service",
  "job_code",
  "network_filter",
  "network_prefix",
  "os",
  "override_branch",
  "override_build",
  "override_build_url",
  "override_commit",
  "override_pr",
  "plugin",
  "plugins",
  "recurse_submodules",
  "report_code",
  "skip_validation",
  "slug",
  "swift_project",
  "token",
  "url",
  "use_legacy_upload_endpoint",
  "use_oidc",
  "use_pypi",
  "version",
];

export const codecov: BuiltinAction = {
  name: "codecov/codecov-action",
  inputs: {
    ...(Object.fromEntries(ignored.map((name) => [name, ""])) as Record<string, string>),
    directory: "",
    disable_search: "false",
    dry_run: "false",
    exclude: "",
    fail_ci_if_error: "false",
    file: "",
    files: "",
    flags: "",
    handle_no_reports_found: "false",
    name: "",
    report_type: "",
    root_dir: "",
    run_command: "upload-coverage",
    verbose: "false",
    "working-directory": "",
    working_directory: "",
  },
  sensitive: ["token"],
  async main(call) {
    try {
      await upload(call);
    } catch (error) {
      if (!(error instanceof StepFailure) || call.isTrue("fail_ci_if_error")) throw error;
      call.warn(`Coverage was not kept: ${error.message}`);
    }
  },
};

async function upload(call: ActionCall): Promise<void> {
  if (call.text("report_type") === "test_results") {
    call.log('Nothing to do for "report_type: test_results": this server keeps coverage only');
    return;
  }
  const { workspace } = call.parts.folders;
  const root = resolve(workspace, call.text("working-directory") || call.text("working_directory"));
  const found = await readWorkspace(workspace, resolve(root, call.text("directory")));
  const reports = await readReports(call, await reportFiles(call, root, found));
  if (reports.length === 0) return sayNone(call);
  const lines = reports.map(({ report }) => report.lines);
  const files = coveredFiles(lines, found.rename).filter(({ path }) => !path.startsWith("../"));
  if (files.length > maxCoveredFiles) {
    throw new StepFailure(`The reports name ${files.length} files, and ${maxCoveredFiles} is the most`);
  }
  sayTotal(call, files);
  if (call.isTrue("dry_run")) {
    call.log("Nothing is kept: dry_run is set");
    return;
  }
  await send(call, files);
}

async function reportFiles(call: ActionCall, root: string, found: Workspace): Promise<readonly string[]> {
  const named = [...call.list("files", true), ...call.list("file", true)];
  const globbed = await glob(
    named.map((name) => (isAbsolute(name) ? name : join(root, name))),
    {
      ...patternPlace(call),
      descendants: false,
    },
  );
  for (const name of named) {
    if (/[*?[]/.test(name)) continue;
    const path = isAbsolute(name) ? name : join(root, name);
    if (!globbed.paths.includes(path)) call.warn(`There is no file "${name}"`);
  }
  const searched = call.isTrue("disable_search")
    ? []
    : found.reports.map((path) => join(call.parts.folders.workspace, path));
  const excluded = call.list("exclude", true).map((pattern) => picomatch(pattern, { dot: true }));
  const all = [...new Set([...globbed.paths, ...searched])];
  const { workspace } = call.parts.folders;
  return all.filter((path) => !excluded.some((matches) => matches(relative(workspace, path))));
}

async function readReports(
  call: ActionCall,
  paths: readonly string[],
): Promise<readonly { readonly path: string; readonly report: ReadReport }[]> {
  const reports: { path: string; report: ReadReport }[] = [];
  for (const path of paths) {
    const facts = await stat(path);
    if (!facts.isFile()) continue;
    const shown = relative(call.parts.folders.workspace, path);
    if (facts.size > maxReportBytes) {
      call.warn(`"${shown}" is not read: it has ${facts.size} bytes, and ${maxReportBytes} is the most`);
      continue;
    }
    const report = readCoverage(await readFile(path, "utf8"));
    if (report === undefined) {
      call.log(`Passed over ${shown}: it is no coverage report of a known format`);
      continue;
    }
    call.log(`Found ${shown} (${report.format}, ${report.lines.files.size} files)`);
    reports.push({ path, report });
  }
  return reports;
}

function sayNone(call: ActionCall): void {
  const message =
    "No coverage reports were found: write one before this step (lcov, Cobertura, Clover, JaCoCo, Go or Istanbul), or name it in files";
  if (call.isTrue("handle_no_reports_found")) call.log(message);
  else throw new StepFailure(message);
}

function sayTotal(call: ActionCall, files: readonly CoveredFile[]): void {
  const covered = files.reduce((sum, file) => sum + countLines(file.covered), 0);
  const missed = files.reduce((sum, file) => sum + countLines(file.missed), 0);
  call.log(
    `Coverage of ${files.length} files: ${percent(covered, covered + missed)} (${covered} of ${covered + missed} lines)`,
  );
}

function countLines(ranges: string): number {
  if (ranges === "") return 0;
  return ranges.split(",").reduce((sum, range) => {
    const [from = 0, to = from] = range.split("-").map(Number);
    return sum + to - from + 1;
  }, 0);
}

async function send(call: ActionCall, files: readonly CoveredFile[]): Promise<void> {
  const services = JobServices.of(call);
  if (services === undefined) {
    call.log("Nothing is kept: the job runs without a server");
    return;
  }
  const flags = call.list("flags", true);
  const report = gzipSync(JSON.stringify({ flags, files })).toString("base64");
  await services.post("/_apis/tidegate/coverage", { job: call.parts.assignment.name, name: call.text("name"), report });
  call.log(`Kept with run ${call.parts.assignment.runId}: see "tidegate runs coverage ${call.parts.assignment.runId}"`);
}
