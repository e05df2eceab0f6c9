/**
 * `hashFiles(pattern, …)`: SHA-256 over the SHA-256 of each matching file of the workspace, in the order they are found;
 * empty when none is. Synchronous, because expressions are.
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import picomatch from "picomatch";
import { StepFailure } from "../errors.ts";

/** More than this is a mistake such as `**` over `node_modules`, and would block the runner. */
const maxFiles = 200_000;

export function hashFiles(workspace: string, patterns: readonly string[]): string {
  const rules = patterns
    .flatMap((pattern) => pattern.split("\n"))
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#") && line !== "--follow-symbolic-links")
    .map((line) => ruleOf(workspace, line));
  const files: string[] = [];
  walk(workspace, "", (path) => {
    let matched = false;
    for (const rule of rules) if (matched === rule.negated && rule.matches(path)) matched = !rule.negated;
    if (matched) files.push(path);
    if (files.length > maxFiles) throw new StepFailure(`hashFiles matches over ${maxFiles} files: narrow its patterns`);
  });
  if (files.length === 0) return "";
  const result = createHash("sha256");
  for (const file of files) result.update(fileHash(join(workspace, file)));
  return result.digest("hex");
}

interface Rule {
  readonly negated: boolean;
  matches(path: string): boolean;
}

/** A pattern that names a folder means all below it, as @actions/glob has it. */
function ruleOf(workspace: string, line: string): Rule {
  const negated = line.startsWith("!");
  const written = negated ? line.slice(1) : line;
  const local = isAbsolute(written) ? relative(workspace, written) : written.replace(/^(?:\.\/)+/, "");
  const clean = local.replace(/\/+$/, "");
  const whole = picomatch(clean === "" || clean === "." ? "**" : clean, { dot: true });
  const below = picomatch(`${clean}/**`, { dot: true });
  return { negated, matches: (path) => whole(path) || below(path) };
}

function walk(root: string, folder: string, visit: (path: string) => void): void {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) walk(root, path, visit);
    else if (entry.isFile() || (entry.isSymbolicLink() && isFile(join(root, path)))) visit(path);
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function fileHash(path: string): Buffer {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(256 * 1024);
  const descriptor = openSync(path, "r");
  try {
    for (;;) {
      const length = readSync(descriptor, buffer);
      if (length === 0) return hash.digest();
      hash.update(buffer.subarray(0, length));
    }
  } finally {
    closeSync(descriptor);
  }
}
