/**
 * The image of the container that holds a pod's network: one program that sleeps for ever. No registry is needed for it:
 * the program is small enough to write down, as a 64-bit ELF file with one loadable segment.
 */
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { sha256Hex } from "#lib";
import type { EngineClient } from "./engine-client.ts";
import { EngineUnusable } from "./errors.ts";
import { hasImage, readProgress } from "./images.ts";

/** Instructions of a process that waits for signals, by Node's name of the architecture. */
const programs: Readonly<Record<string, { readonly machine: number; readonly code: Buffer }>> = {
  // loop: mov eax, 34 (pause); syscall; jmp loop
  x64: { machine: 62, code: Buffer.from("b8220000000f05ebf7", "hex") },
  // loop: mov x0..x3, #0; mov x8, #73 (ppoll); svc #0; b loop
  arm64: {
    machine: 183,
    code: Buffer.from("000080d2010080d2020080d2030080d2280980d2010000d4faffff17", "hex"),
  },
};

const headerBytes = 64 + 56;
/** Where the file is loaded. Any page that programs may use will do. */
const base = 0x400000;

/** Undefined for an architecture that is not known here. */
export function pauseProgram(architecture: string): Buffer | undefined {
  const program = programs[architecture];
  if (program === undefined) return undefined;
  const size = headerBytes + program.code.length;
  const head = Buffer.alloc(headerBytes);
  head.write("\x7fELF\x02\x01\x01", 0, "latin1");
  head.writeUInt16LE(2, 16); // ET_EXEC
  head.writeUInt16LE(program.machine, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(BigInt(base + headerBytes), 24); // entry
  head.writeBigUInt64LE(64n, 32); // program headers follow
  head.writeUInt16LE(64, 52);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(1, 64); // PT_LOAD
  head.writeUInt32LE(5, 68); // readable, executable
  head.writeBigUInt64LE(BigInt(base), 80);
  head.writeBigUInt64LE(BigInt(base), 88);
  head.writeBigUInt64LE(BigInt(size), 96);
  head.writeBigUInt64LE(BigInt(size), 104);
  head.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([head, program.code]);
}

/** Changes with the program: an engine that has this one needs no other. */
export const pauseReference = "tidegate.local/pause:1";

/** The image, as `docker load` takes it. */
async function pauseArchive(program: Buffer): Promise<Readable> {
  const layer = await tarOf([{ name: "pause", mode: 0o755, content: program }]);
  const config = JSON.stringify({
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: { Entrypoint: ["/pause"] },
    rootfs: { type: "layers", diff_ids: [`sha256:${sha256Hex(layer)}`] },
  });
  const manifest = [{ Config: "config.json", RepoTags: [pauseReference], Layers: ["layer.tar"] }];
  const archive = await tarOf([
    { name: "config.json", content: config },
    { name: "layer.tar", content: layer },
    { name: "manifest.json", content: JSON.stringify(manifest) },
  ]);
  return Readable.from([archive]);
}

async function tarOf(
  files: readonly { readonly name: string; readonly mode?: number; readonly content: string | Buffer }[],
): Promise<Buffer> {
  const archive = pack();
  for (const { name, mode = 0o644, content } of files) archive.entry({ name, mode, mtime: new Date(0) }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

/** Makes sure that the engine has the image. Undefined architecture of this machine: throws `engine/unusable`. */
export async function ensurePauseImage(engine: EngineClient, signal: AbortSignal): Promise<void> {
  if (await hasImage(engine, pauseReference, signal)) return;
  const program = pauseProgram(process.arch);
  if (program === undefined) {
    throw new EngineUnusable("engine/unusable", `Cannot make a sandbox image: unknown architecture "${process.arch}"`);
  }
  const archive = await pauseArchive(program);
  await readProgress(await engine.stream("POST", "/images/load", { query: { quiet: 1 }, archive, signal }));
}
