/**
 * Which program a container runs. There is no file system of its own around the process: programs and absolute paths
 * are looked up in the image's tree first, then on the host.
 */
import { constants } from "node:fs";
import { access, open, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ImageConfig } from "../ports.ts";
import { RuntimeError } from "../errors.ts";

/** Kubernetes' rule: `command` replaces ENTRYPOINT and drops CMD, `args` replaces CMD. */
export function containerArgv(
  image: ImageConfig,
  spec: { readonly command?: readonly string[]; readonly args?: readonly string[] },
): string[] {
  const command = spec.command ?? [];
  const args = spec.args ?? [];
  if (command.length > 0) return [...command, ...args];
  const entrypoint = image.Entrypoint ?? [];
  return args.length > 0 ? [...entrypoint, ...args] : [...entrypoint, ...(image.Cmd ?? [])];
}

export const defaultImagePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface Surroundings {
  /** The host path of what the container means by an absolute path, whether it exists or not; see `place.ts`. */
  readonly locate: (path: string) => Promise<string | undefined>;
  /** A host path. */
  readonly workingDir: string;
  /** PATH as the image means it. */
  readonly imagePath: string;
  /** PATH of the host, where programs are taken from that the image lacks. */
  readonly hostPath: string;
  /** Where an argument that is a path is looked for first; default: on the host. */
  readonly prefer?: "image" | "host";
}

export interface Launch {
  readonly argv: readonly string[];
  /** Where the program came from; children should look there first too. */
  readonly from: "image" | "host";
}

/** Throws `runtime/no-command` with upstream's words when there is nothing to run. */
export async function resolveLaunch(argv: readonly string[], at: Surroundings): Promise<Launch> {
  const [program, ...rest] = argv;
  if (program === undefined || program === "") {
    throw new RuntimeError("runtime/no-command", "Cannot start container: no command specified");
  }
  const found = await findProgram(program, at);
  if (found === undefined) {
    const message = `exec: "${program}": executable file not found in the image or in $PATH of the host`;
    throw new RuntimeError("runtime/no-command", message);
  }
  const args = await Promise.all(rest.map((argument) => localArgument(argument, at)));
  return { argv: [...found.command, ...args], from: found.from };
}

async function findProgram(
  program: string,
  at: Surroundings,
): Promise<{ command: string[]; from: "image" | "host" } | undefined> {
  for (const candidate of await imageCandidates(program, at)) {
    const command = await runnable(candidate, at.locate);
    if (command !== undefined) return { command, from: "image" };
  }
  for (const candidate of hostCandidates(program, at.hostPath)) {
    if (await isExecutable(candidate)) return { command: [candidate], from: "host" };
  }
  return undefined;
}

async function imageCandidates(program: string, at: Surroundings): Promise<string[]> {
  if (program.startsWith("/")) return present([await at.locate(program)]);
  if (program.includes("/")) return [join(at.workingDir, program)];
  const folders = at.imagePath.split(":").filter((folder) => folder.startsWith("/"));
  return present(await Promise.all(folders.map((folder) => at.locate(`${folder}/${program}`))));
}

function hostCandidates(program: string, hostPath: string): string[] {
  if (program.startsWith("/")) {
    // `/usr/local/bin/node` of an image whose node cannot run here may stand elsewhere on the host.
    const name = program.slice(program.lastIndexOf("/") + 1);
    return [program, ...hostCandidates(name, hostPath)];
  }
  if (program.includes("/") || program === "") return [];
  return hostPath
    .split(":")
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => join(folder, program));
}

function present(paths: readonly (string | undefined)[]): string[] {
  return paths.filter((path) => path !== undefined);
}

/**
 * How to run a program of the image on this host, or undefined when that cannot work: a binary whose dynamic loader
 * the host lacks (an Alpine image on Debian), a script whose interpreter is neither in the image nor here.
 */
async function runnable(path: string, locate: Surroundings["locate"]): Promise<string[] | undefined> {
  if (!(await isExecutable(path))) return undefined;
  const needed = interpreterOf(await firstBytes(path));
  if (needed === undefined) return [path];
  if (needed.kind === "loader") return (await isExecutable(needed.path)) ? [path] : undefined;
  if (await isExecutable(needed.path)) return [path];
  const own = await locate(needed.path);
  if (own === undefined || !(await isExecutable(own))) return undefined;
  return [own, ...(needed.argument === undefined ? [] : [needed.argument]), path];
}

type Interpreter = { kind: "loader"; path: string } | { kind: "script"; path: string; argument: string | undefined };

/** What the kernel would start for a file that begins like this: the `#!` line, or the PT_INTERP of a 64-bit ELF. */
export function interpreterOf(head: Buffer): Interpreter | undefined {
  if (head.subarray(0, 2).toString("latin1") === "#!") {
    const line = head.toString("latin1").split("\n", 1)[0] ?? "";
    const match = /^#!\s*(\S+)(?:\s+(.*\S))?\s*$/.exec(line);
    return match?.[1] === undefined ? undefined : { kind: "script", path: match[1], argument: match[2] };
  }
  const isElf64 = head.length >= 64 && head.readUInt32BE(0) === 0x7f454c46 && head[4] === 2 && head[5] === 1;
  if (!isElf64) return undefined;
  const [table, entrySize, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)];
  for (let at = table, seen = 0; seen < count && at + 56 <= head.length; at += entrySize, seen++) {
    if (entrySize === 0 || head.readUInt32LE(at) !== 3) continue;
    const [offset, size] = [Number(head.readBigUInt64LE(at + 8)), Number(head.readBigUInt64LE(at + 32))];
    const path = head
      .subarray(offset, offset + size)
      .toString("latin1")
      .replace(/\0.*$/s, "");
    return path === "" ? undefined : { kind: "loader", path };
  }
  return undefined;
}

async function firstBytes(path: string): Promise<Buffer> {
  await using file = await open(path, "r");
  const buffer = Buffer.alloc(4096);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
  return buffer.subarray(0, bytesRead);
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** An argument that is, as a whole, a path of the image, e.g. `/app/server.js`, becomes the tree's path. */
async function localArgument(argument: string, at: Surroundings): Promise<string> {
  if (!argument.startsWith("/") || argument.includes("\0") || ofMachine.test(argument)) return argument;
  const imageFirst = at.prefer === "image";
  if (!imageFirst && (argument === "/" || (await exists(argument)))) return argument;
  const own = await at.locate(argument);
  return own !== undefined && (await exists(own)) ? own : argument;
}

/** Never the image's, though it has folders for them. */
const ofMachine = /^\/(?:dev|proc|sys)(?:\/|$)/;

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
