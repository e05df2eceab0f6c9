/**
 * Whether an image carries its own root file system, and what of it a container starts. It does when it has a shell, or
 * when its own program can start from it alone: the program is in the image, and so is the loader or the interpreter
 * that the kernel would start for it. An image `FROM scratch` with scripts for the machine's Node.js does not.
 */
import { constants } from "node:fs";
import { access, open, stat } from "node:fs/promises";
import { posix } from "node:path";
import { RuntimeError } from "../errors.ts";
import { resolveInTree } from "../image/tree-path.ts";
import type { MountSource } from "../mount-sources.ts";
import type { ImageConfig } from "../ports.ts";
import { defaultImagePath, interpreterOf } from "../process/command-line.ts";
import { imageEnvironment } from "../process/environment.ts";

/** What a container sees: its tree, and over it its mounts. */
export interface ContainerView {
  readonly tree: string;
  readonly mounts: readonly MountSource[];
}

/** A script whose interpreter is a script, and so on: the kernel goes four deep. */
const maxInterpreters = 4;

export async function carriesRoot(tree: string, config: ImageConfig): Promise<boolean> {
  const view = { tree, mounts: [] };
  if (await startsIn(view, "/bin/sh")) return true;
  const program = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])][0];
  if (program === undefined) return false;
  const path = await findIn(view, program, config.WorkingDir ?? "/", imageEnvironment(config)["PATH"]);
  return path !== undefined && (await startsIn(view, path));
}

/** The program's path in the container. Throws `runtime/no-command` with upstream's words when it is not there. */
export async function programIn(
  view: ContainerView,
  argv: readonly string[],
  workingDir: string,
  path?: string,
): Promise<string> {
  const [program] = argv;
  if (program === undefined || program === "") {
    throw new RuntimeError("runtime/no-command", "Cannot start container: no command specified");
  }
  const found = await findIn(view, program, workingDir, path);
  if (found !== undefined) return found;
  const message = program.includes("/")
    ? `exec: "${program}": stat ${program}: no such file or directory`
    : `exec: "${program}": executable file not found in $PATH of the image`;
  throw new RuntimeError("runtime/no-command", message);
}

async function findIn(
  view: ContainerView,
  program: string,
  workingDir: string,
  path = defaultImagePath,
): Promise<string | undefined> {
  const folders = path.split(":").filter((folder) => folder.startsWith("/"));
  const candidates = program.includes("/")
    ? [posix.resolve("/", workingDir, program)]
    : folders.map((folder) => posix.join(folder, program));
  for (const candidate of candidates) if ((await executable(view, candidate)) !== undefined) return candidate;
  return undefined;
}

async function startsIn(view: ContainerView, path: string, depth = 0): Promise<boolean> {
  const real = await executable(view, path);
  if (real === undefined || depth > maxInterpreters) return false;
  const needed = interpreterOf(await firstBytes(real));
  if (needed === undefined) return true;
  return needed.kind === "loader"
    ? (await executable(view, needed.path)) !== undefined
    : await startsIn(view, needed.path, depth + 1);
}

/** The file on this machine, links followed inside the tree. */
async function executable({ tree, mounts }: ContainerView, path: string): Promise<string | undefined> {
  const mount = mounts.findLast(({ target }) => path === target || path.startsWith(`${target}/`));
  const real =
    mount === undefined
      ? await resolveInTree(tree, path, true)
      : await resolveInTree(mount.source, path.slice(mount.target.length), true);
  if (real === undefined) return undefined;
  try {
    await access(real, constants.X_OK);
    return (await stat(real)).isFile() ? real : undefined;
  } catch {
    return undefined;
  }
}

async function firstBytes(path: string): Promise<Buffer> {
  await using file = await open(path, "r");
  const { bytesRead, buffer } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
  return buffer.subarray(0, bytesRead);
}
