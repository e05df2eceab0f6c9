/** Compares with the real `kubectl kustomize`, object by object and in order. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { errorCode, formatProblems, runCommand } from "#lib";
import { folderTree } from "../folder-tree.ts";
import { renderSource } from "../render-source.ts";

const cases = join(import.meta.dirname, "../testdata/kustomize");
const env = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "" };
const skip = await missingKubectl();

for (const name of readdirSync(cases)) {
  test(`renders "${name}" as kubectl does`, { skip }, async (t) => {
    const rendered = await renderSource(folderTree(join(cases, name)), { path: "." });
    assert.equal(formatProblems(rendered.problems), "");

    const objects = JSON.parse(JSON.stringify(rendered.value)) as unknown[];

    assert.deepEqual(objects, await kubectlKustomize(join(cases, name), t.signal));
  });
}

async function kubectlKustomize(folder: string, signal: AbortSignal): Promise<unknown[]> {
  const { exitCode, stdout, stderr } = await runCommand("kubectl", ["kustomize", folder], { env, signal });
  assert.equal(exitCode, 0, stderr);
  return parseAllDocuments(stdout.toString()).map((document) => document.toJS() as unknown);
}

/** Without kubectl there is nothing to compare with; a pipeline must have it. */
async function missingKubectl(): Promise<string | false> {
  try {
    await runCommand("kubectl", ["version", "--client"], { env, signal: AbortSignal.timeout(20_000) });
    return false;
  } catch (error) {
    if (errorCode(error) !== "ENOENT" || process.env["CI"] !== undefined) throw error;
    return "kubectl is not installed";
  }
}
