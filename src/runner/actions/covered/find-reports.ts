/** Which files are coverage reports, and which file of the repository a path of theirs means. */
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { isAbsolute } from "node:path";

/** Names by which tools write reports; what is in them decides. */
const reportNames: readonly RegExp[] = [
  /^lcov\.(?:info|dat)$/,
  /\.lcov$/,
  /^cover(?:age)?\.out$/,
  /^(?:coverage|cobertura|clover|jacoco)[\w.-]*\.(?:xml|info|json|txt|out|lcov)$/i,
  /[\w-]*[._-](?:coverage|cobertura|clover)\.xml$/i,
  /^jacoco\w*\.xml$/i,
  /^nosetests\.xml$/,
  /^gcov\.info$/,
];
const otherNames = /^coverage-summary\.json$|\.(?:py|js|ts|html|css)$/;

const skippedFolders: ReadonlySet<string> = new Set([
  ".git",
  ".hg",
  ".svn",
  ".tox",
  ".nox",
  ".venv",
  "venv",
  "virtualenv",
  "__pycache__",
  "node_modules",
  "bower_components",
  "vendor",
]);
const maxFiles = 200_000;

export interface Workspace {
  /** Relative paths that look like reports. */
  readonly reports: readonly string[];
  /** What a path in a report is called in the repository; itself when no file is found for it. */
  rename(path: string): string;
}

export async function readWorkspace(root: string, search: string): Promise<Workspace> {
  const files: string[] = [];
  await walk(root, "", files);
  const below = relative(root, search);
  const inside = files.filter((file) => below === "" || file.startsWith(`${below}/`));
  const reports = inside.filter((file) => isReportName(file.split("/").at(-1) ?? ""));
  return { reports, rename: renamer(root, files) };
}

export function isReportName(name: string): boolean {
  return !otherNames.test(name) && reportNames.some((pattern) => pattern.test(name));
}

async function walk(root: string, folder: string, files: string[]): Promise<void> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (files.length >= maxFiles) return;
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isFile()) files.push(path);
    else if (entry.isDirectory() && !skippedFolders.has(entry.name)) await walk(root, path, files);
  }
}

/**
 * Reports name files absolutely, by package (`com/acme/A.java`), by module (`example.com/m/a.go`) or by the machine they
 * were made on: the file of the repository with the longest common ending is meant, if it is only one.
 */
export function renamer(root: string, files: readonly string[]): (path: string) => string {
  const known = new Set(files);
  const byName = new Map<string, string[]>();
  for (const file of files) {
    const name = file.split("/").at(-1) ?? "";
    byName.set(name, [...(byName.get(name) ?? []), file]);
  }
  return (path) => {
    const plain = path.replaceAll("\\", "/");
    const inside = isAbsolute(plain) && plain.startsWith(`${root}/`) ? plain.slice(root.length + 1) : plain;
    const clean = inside.replace(/^(?:\.\/)+/, "");
    if (known.has(clean)) return clean;
    const parts = clean.split("/").filter((part) => part !== "");
    const candidates = byName.get(parts.at(-1) ?? "") ?? [];
    const scored = candidates.map((file) => ({ file, common: commonEnding(parts, file.split("/")) }));
    const most = Math.max(0, ...scored.map(({ common }) => common));
    const best = scored.filter(({ common }) => common === most);
    return best.length === 1 ? (best[0]?.file ?? clean) : clean.replace(/^\/+/, "");
  };
}

function commonEnding(a: readonly string[], b: readonly string[]): number {
  let count = 0;
  while (count < a.length && count < b.length && a.at(-1 - count) === b.at(-1 - count)) count++;
  return count;
}
