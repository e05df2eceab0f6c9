/** `github/codeql-action`: reports are kept with the run; the analysis itself is not here, and says so. */
import { readFile, stat } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { maxFindings, readSarif, type CodeFinding } from "#api";
import { isObject } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { glob } from "../files/glob.ts";
import { patternPlace } from "../files/place.ts";
import { JobServices } from "../services/job-services.ts";

const maxSarifBytes = 64 * 1024 * 1024;
const maxPackedBytes = 7 * 1024 * 1024;

export const uploadSarif: BuiltinAction = {
  name: "github/codeql-action/upload-sarif",
  inputs: {
    sarif_file: "../results",
    checkout_path: "",
    ref: "",
    sha: "",
    token: "",
    matrix: "",
    category: "",
    "wait-for-processing": "true",
  },
  sensitive: ["token"],
  async main(call) {
    if (call.gave("checkout_path")) call.required("checkout_path");
    if ((call.text("ref") === "") !== (call.text("sha") === "")) {
      throw new StepFailure("Both 'ref' and 'sha' must be given, or none of them");
    }
    const { workspace } = call.parts.folders;
    const root = resolve(workspace, call.text("checkout_path"));
    let id = "";
    for (const file of await sarifFiles(call)) id = await uploadFile(call, file, root);
    call.setOutput("sarif-id", id);
    call.setOutput("sarif-ids", JSON.stringify({ "code-scanning": id }));
  },
};

async function sarifFiles(call: ActionCall): Promise<readonly string[]> {
  const given = resolve(call.parts.folders.workspace, call.required("sarif_file"));
  const facts = await stat(given).catch(() => undefined);
  if (facts === undefined) throw new StepFailure(`Path does not exist: ${given}`);
  if (facts.isFile()) return [given];
  const { paths } = await glob([`${given}/**/*.sarif`], { ...patternPlace(call), descendants: false });
  if (paths.length === 0) throw new StepFailure(`No SARIF files found to upload in "${given}".`);
  return paths;
}

async function uploadFile(call: ActionCall, file: string, root: string): Promise<string> {
  const { size } = await stat(file);
  if (size > maxSarifBytes) throw new StepFailure(`"${file}" has ${size} bytes, and ${maxSarifBytes} is the most`);
  call.log(`Uploading results of ${file}`);
  const sarif = relocate(parse(await readFile(file, "utf8"), file), root);
  const findings = readSarif(sarif);
  if (findings === undefined) throw new StepFailure(`Invalid SARIF. "${file}" has no runs`);
  annotate(call, findings);
  const report = gzipSync(JSON.stringify(sarif)).toString("base64");
  if (report.length > maxPackedBytes) {
    throw new StepFailure(
      `"${file}" is too large even when it is packed: ${report.length} bytes, ${maxPackedBytes} is the most`,
    );
  }
  const { assignment } = call.parts;
  const counted = `${findings.length}${findings.length === maxFindings ? " (the most that are shown)" : ""}`;
  const services = JobServices.of(call);
  if (services === undefined) {
    call.log(`${counted} findings; nothing is kept, for the job runs without a server`);
    return "";
  }
  const category = call.text("category");
  const answer = await services.post("/_apis/tidegate/findings", { job: assignment.name, name: category, report });
  call.log(`${counted} findings, kept with run ${assignment.runId}: see "tidegate runs findings ${assignment.runId}"`);
  return String(answer["id"]);
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new StepFailure(`Invalid SARIF. JSON syntax error in "${relative(".", file)}"`, error);
  }
}

/** Absolute addresses below the checkout become relative ones: what is kept must be true elsewhere. */
function relocate(value: unknown, root: string): unknown {
  if (Array.isArray(value)) return value.map((item) => relocate(item, root));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => {
    if (key !== "uri" || typeof item !== "string") return [key, relocate(item, root)];
    const plain = item.replace(/^file:\/\//, "");
    return [key, plain.startsWith(`${root}/`) ? plain.slice(root.length + 1) : item];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

const levels = { error: "error", warning: "warning", note: "notice" } as const;
/** The worst of them; all are with the run. */
const maxAnnotations = 50;

function annotate(call: ActionCall, findings: readonly CodeFinding[]): void {
  const order = { error: 0, warning: 1, note: 2 };
  for (const finding of findings.toSorted((a, b) => order[a.level] - order[b.level]).slice(0, maxAnnotations)) {
    call.step.scope.job.annotate({
      level: levels[finding.level],
      message: finding.message,
      title: `${finding.tool}: ${finding.rule}`,
      step: call.step.output.target.stepNumber,
      ...(finding.path === undefined ? {} : { path: finding.path }),
      ...(finding.line === undefined ? {} : { startLine: finding.line }),
      ...(finding.column === undefined ? {} : { startColumn: finding.column }),
    });
  }
}

const remedy =
  "remove the step, or run a scanner of your own in a run step and hand its SARIF file to github/codeql-action/upload-sarif, which works here";

const analysisInputs = [
  "languages",
  "queries",
  "packs",
  "config",
  "config-file",
  "build-mode",
  "category",
  "output",
  "upload",
  "token",
  "tools",
  "debug",
  "db-location",
  "ram",
  "threads",
  "checkout_path",
  "ref",
  "sha",
];

function refused(part: string): BuiltinAction {
  return {
    name: `github/codeql-action/${part}`,
    inputs: Object.fromEntries(analysisInputs.map((name) => [name, ""])) as Record<string, string>,
    async main() {
      await Promise.resolve();
      throw new StepFailure(
        `github/codeql-action/${part} needs the CodeQL bundle, which is not on this runner: ${remedy}`,
      );
    },
  };
}

export const codeqlRefusals: readonly BuiltinAction[] = ["init", "autobuild", "analyze"].map(refused);
