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
export async function environmentFiles(names: Names, container = shopContainer): Promise<Files> {
  const all = await readFiles(join(examplesFolder, "environments"));
  const mine = [...all].filter(([path]) => path.startsWith("apps/"));
  return new Map(mine.map(([path, text]) => [renamePath(path, names), withContainer(rename(text, names), container)]));
}

/** What differs between applications in how their pods are reached. */
export interface ContainerFacts {
  readonly port: number;
  /** Path that answers 200 when all is well; undefined: a port that takes connections is well enough. */
  readonly health: string | undefined;
}

const shopContainer: ContainerFacts = { port: 8080, health: "/healthz" };

function withContainer(text: string, { port, health }: ContainerFacts): string {
  const look = health === undefined ? "tcpSocket:\n" : `httpGet:\n              path: ${health}\n`;
  return text
    .replaceAll("containerPort: 8080", `containerPort: ${port}`)
    .replaceAll("httpGet:\n              path: /healthz\n", () => look);
}

export async function applicationManifest(names: Names): Promise<string> {
  return rename(await readFile(join(examplesFolder, "environments", "application.yaml"), "utf8"), names);
}

/** The workflow that the shop is delivered with. */
export async function workflowExample(): Promise<string> {
  return await readFile(join(examplesFolder, "shop", ".github", "workflows", "deliver.yml"), "utf8");
}

function renamePath(path: string, names: Names): string {
  return path.replace(/^apps\/shop\//, `apps/${names.app}/`);
}

/** In one pass, so that a name which contains "shop" is not renamed again. */
function rename(text: string, names: Names): string {
  const examples = /http:\/\/127\.0\.0\.1:7070\/acme\/environments|127\.0\.0\.1:7070\/acme\/shop|\bshop\b/g;
  return text.replaceAll(examples, (found) => {
    if (found === "shop") return names.app;
    return found.startsWith("http")
      ? `${names.controlUrl}/${names.owner}/${names.environments}`
      : `${names.registry}/${names.owner}/${names.app}`;
  });
}
