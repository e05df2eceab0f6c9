/** `aquasecurity/trivy-action`, with the trivy of the machine. */
import { readFile, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { findProgram } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";

/** Input, variable of trivy, and what the input says when nobody said anything: then trivy's own sources count. */
const variables: readonly (readonly [string, string, string])[] = [
  ["input", "TRIVY_INPUT", ""],
  ["exit-code", "TRIVY_EXIT_CODE", ""],
  ["ignore-unfixed", "TRIVY_IGNORE_UNFIXED", "false"],
  ["vuln-type", "TRIVY_PKG_TYPES", "os,library"],
  ["severity", "TRIVY_SEVERITY", "UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL"],
  ["format", "TRIVY_FORMAT", "table"],
  ["template", "TRIVY_TEMPLATE", ""],
  ["output", "TRIVY_OUTPUT", ""],
  ["skip-dirs", "TRIVY_SKIP_DIRS", ""],
  ["skip-files", "TRIVY_SKIP_FILES", ""],
  ["timeout", "TRIVY_TIMEOUT", ""],
  ["ignore-policy", "TRIVY_IGNORE_POLICY", ""],
  ["hide-progress", "TRIVY_QUIET", ""],
  ["list-all-pkgs", "TRIVY_LIST_ALL_PKGS", "false"],
  ["scanners", "TRIVY_SCANNERS", ""],
  ["trivy-config", "TRIVY_CONFIG", ""],
  ["tf-vars", "TRIVY_TF_VARS", ""],
  ["docker-host", "TRIVY_DOCKER_HOST", ""],
];

export const trivy: BuiltinAction = {
  name: "aquasecurity/trivy-action",
  inputs: {
    ...(Object.fromEntries(variables.map(([input, , usual]) => [input, usual])) as Record<string, string>),
    "scan-type": "image",
    "image-ref": "",
    "scan-ref": ".",
    "cache-dir": "",
    trivyignores: "",
    "github-pat": "",
    "limit-severities-for-sarif": "",
    version: "",
    cache: "true",
    "skip-setup-trivy": "false",
    "token-setup-trivy": "",
  },
  sensitive: ["github-pat", "token-setup-trivy"],
  async main(call) {
    const { workspace } = call.parts.folders;
    const program = findProgram(call.env("TRIVY_CMD") || "trivy", call.step.scope.job.searchPath(), workspace);
    if (program === undefined) {
      throw new StepFailure(
        "There is no trivy on this runner: install the trivy program on its machine, or remove the step. Nothing has been scanned",
      );
    }
    if (call.text("version") !== "") {
      call.log(`"version: ${call.text("version")}" has no effect here: the trivy of the machine is used`);
    }
    const env = await environment(call);
    const args = [call.text("scan-type") || "image", call.text("image-ref") || call.text("scan-ref") || "."];
    call.log(`Running Trivy with options: trivy ${args.join(" ")}`);
    const { exitCode } = await call.try(program, args, { env });
    if (exitCode !== 0) throw new StepFailure(`Process completed with exit code ${exitCode}.`);
  },
};

async function environment(call: ActionCall): Promise<Record<string, string>> {
  const { workspace } = call.parts.folders;
  const given = variables.flatMap(([input, variable, usual]) => {
    const value = call.text(input);
    return value === "" || value === usual ? [] : [[variable, value] as const];
  });
  const env: Record<string, string> = Object.fromEntries(given);
  env["TRIVY_CACHE_DIR"] = call.text("cache-dir") || join(workspace, ".cache", "trivy");
  const ignores = call.list("trivyignores", true);
  if (ignores.length > 0) env["TRIVY_IGNOREFILE"] = await ignoreFile(call, ignores);
  if ((env["TRIVY_FORMAT"] ?? call.env("TRIVY_FORMAT")) === "sarif") {
    const limited = call.text("limit-severities-for-sarif").toLowerCase() === "true";
    call.log(limited ? "Building SARIF report" : "Building SARIF report with all severities");
    if (!limited) env["TRIVY_SEVERITY"] = "UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL";
  }
  return env;
}

/** Several plain files become one; YAML files do not go together. */
async function ignoreFile(call: ActionCall, names: readonly string[]): Promise<string> {
  const { workspace, temp } = call.parts.folders;
  const files = names.map((name) => resolve(workspace, name));
  for (const [index, file] of files.entries()) {
    const found = await stat(file).catch(() => undefined);
    if (found === undefined) throw new StepFailure(`ERROR: cannot find ignorefile '${names[index]}'.`);
  }
  const yaml = files.filter((file) => /\.ya?ml$/.test(file));
  if (yaml.length > 0 && yaml.length < files.length) {
    throw new StepFailure("ERROR: Cannot mix YAML and plain trivy ignore files.");
  }
  if (yaml.length > 1) {
    throw new StepFailure("ERROR: Multiple YAML ignore files provided. Only one YAML file is supported.");
  }
  const [single] = yaml;
  if (single !== undefined) return single;
  const texts = await Promise.all(files.map(async (file) => await readFile(file, "utf8")));
  const path = join(temp, "trivyignores");
  await writeFile(path, texts.join("\n"));
  return path;
}
