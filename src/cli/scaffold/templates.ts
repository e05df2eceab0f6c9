/**
 * The files of a delivery: the example environments and workflow of this package with an application's own names put
 * in. So what the demo delivers and what `tidegate init` writes for you are the same files.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export const examplesFolder = join(import.meta.dirname, "..", "..", "..", "examples");

export interface Names {
  readonly owner: string;
  /** Name of the application, its repository, Service and Rollout. */
  readonly app: string;
  /** Repository of the environments, in the same owner. */
  readonly environments: string;
  /** `127.0.0.1:7070` */
  readonly registry: string;
  readonly controlUrl: string;
}

export type Files = ReadonlyMap<string, string>;

/** Path to text of every file below `folder`. */
async function readFiles(folder: string): Promise<Files> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map<string, string>();
  for (const entry of names) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length + 1).replaceAll("\\", "/"), await readFile(path, "utf8"));
  }
  return files;
}

/** What goes into the environments repository, without the Application, which goes into the cluster. */
export async function environmentFiles(names: Names): Promise<Files> {
  const all = await readFiles(join(examplesFolder, "environments"));
  const mine = [...all].filter(([path]) => path.startsWith("apps/"));
  return new Map(mine.map(([path, text]) => [renamePath(path, names), rename(text, names)]));
}

export async function applicationManifest(names: Names): Promise<string> {
  return rename(await readFile(join(examplesFolder, "environments", "application.yaml"), "utf8"), names);
}

/** The workflow for an application whose checks are `commands` instead of the shop's. */
export async function workflowFile(commands: readonly string[]): Promise<string> {
  const text = await readFile(join(examplesFolder, "shop", ".github", "workflows", "deliver.yml"), "utf8");
  const steps = commands.map((command) => `      - run: ${command}`).join("\n");
  return text.replace(/ {6}- run: npm run lint\n {6}- run: npm test/, steps);
}

function renamePath(path: string, names: Names): string {
  return path.replace(/^apps\/shop\//, `apps/${names.app}/`);
}

function rename(text: string, names: Names): string {
  return text
    .replaceAll("http://127.0.0.1:7070/acme/environments", `${names.controlUrl}/${names.owner}/${names.environments}`)
    .replaceAll("127.0.0.1:7070/acme/shop", `${names.registry}/${names.owner}/${names.app}`)
    .replaceAll("apps/shop/", `apps/${names.app}/`)
    .replaceAll(/\bshop\b/g, names.app);
}
