/** The workflow files of a working tree, as they lie there, and what is wrong with them. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { errorCode, type Problem } from "#lib";
import { parseWorkflowFile, type WorkflowText } from "#workflows";
import type { LocalWorkflow } from "./choose-workflows.ts";
import { LocalError } from "./errors.ts";

export interface ReadWorkflows {
  /** By the paths they have in the repository that jobs see. */
  readonly texts: readonly WorkflowText[];
  readonly workflows: readonly LocalWorkflow[];
  readonly problems: readonly Problem[];
  /** Where a file of `texts` lies, relative to the working tree. */
  readonly places: ReadonlyMap<string, string>;
}

const ownFolders = [".forgejo/workflows", ".github/workflows"] as const;

/** The parser says more of a file that is over its own limit. */
const maxFileBytes = 2 * 1024 * 1024;

/** @param from a file or folder in place of the working tree's own folders */
export async function readWorkflows(folder: string, from: string | undefined): Promise<ReadWorkflows> {
  const places = from === undefined ? await ownFiles(folder) : await filesAt(resolve(folder, from), folder);
  const texts = await Promise.all(
    [...places].map(async ([path, place]) => ({ path, text: await readText(join(folder, place)) })),
  );
  const parsed = texts.map(({ path, text }) => ({ path, ...parseWorkflowFile(path, text) }));
  return {
    texts,
    places,
    workflows: parsed.flatMap(({ path, value }) => (value === undefined ? [] : [{ path, workflow: value }])),
    problems: parsed.flatMap(({ problems }) => problems),
  };
}

/** As on a server: Forgejo's folder alone when there is one. */
async function ownFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  for (const own of ownFolders) {
    const names = await workflowNames(join(folder, own));
    if (names.length > 0) return new Map(names.map((name) => [`${own}/${name}`, `${own}/${name}`]));
  }
  return new Map();
}

async function filesAt(path: string, folder: string): Promise<ReadonlyMap<string, string>> {
  const found = await stat(path).catch((error: unknown) => {
    if (errorCode(error) !== "ENOENT") throw error;
    throw new LocalError("server/local-usage", `Cannot read workflows at "${path}": there is no such file or folder`);
  });
  const files = found.isDirectory() ? (await workflowNames(path)).map((name) => join(path, name)) : [path];
  return new Map(
    files.map((file) => {
      const place = relative(folder, file);
      // Called files and the engine know workflows by a path in the repository, wherever these lie.
      const known = ownFolders.some((own) => place.startsWith(`${own}/`));
      return [known ? place : `.github/workflows/${basename(file)}`, place];
    }),
  );
}

async function workflowNames(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).toSorted();
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return [];
    throw error;
  }
}

async function readText(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size <= maxFileBytes) return await readFile(path, "utf8");
  const message = `Cannot read workflow "${path}": it has ${size} bytes, and ${maxFileBytes} is the most`;
  throw new LocalError("server/local-usage", message);
}
