/**
 * The files of an action out of a tar archive that nobody trusts, and the digest that a lock holds of them. No entry can
 * lead out of the folder it is written to, whatever the archive says.
 */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, type ExtractEvents } from "tar-stream";
import { AppError } from "#lib";

/** The archive is none, leads out of its folder, or is too large. */
export class BadActionArchive extends AppError<"workflows/bad-archive"> {
  constructor(reason: string, cause?: unknown) {
    super("workflows/bad-archive", `Cannot unpack the action: ${reason}`, { cause });
  }
}

export interface ArchivedFile {
  /** Relative, of plain names only: no empty one, no `.`, no `..`. */
  readonly path: string;
  readonly kind: "file" | "executable" | "symlink";
  /** Of a symbolic link: relative, and inside the archive. */
  readonly target: string;
}

export interface ArchiveSummary {
  /**
   * `sha256:…` over a line for each file, in the order of their paths as bytes: its git mode, the SHA-256 of its content
   * (of a symbolic link, of its target), its path. So it does not depend on who packed the archive, and how.
   */
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
}

export interface ArchiveLimits {
  readonly bytes: number;
  readonly files: number;
}

/** The largest action known has some 60 MB; a repository with everything in it may be used as one. */
const archiveLimits: ArchiveLimits = { bytes: 1024 ** 3, files: 100_000 };

const maxPathLength = 2_000;

const modes = { file: "100644", executable: "100755", symlink: "120000" } as const;

type OnFile = (file: ArchivedFile, content: AsyncIterable<Uint8Array>) => Promise<void>;

type Entry = ExtractEvents["entry"][1];

/** Calls `onFile` for one file after the other, which must read the content to its end. Throws `BadActionArchive`. */
export async function readActionArchive(
  archive: AsyncIterable<Uint8Array>,
  onFile: OnFile,
  options: { readonly signal: AbortSignal; readonly limits?: ArchiveLimits },
): Promise<ArchiveSummary> {
  const reading = new ArchiveReading(onFile, options.limits ?? archiveLimits);
  const entries = extract();
  const feeding = pipeline(Readable.from(archive, { objectMode: false }), entries, { signal: options.signal });
  // Awaited below; until then a failure must not count as unhandled.
  feeding.catch(() => {});
  try {
    for await (const entry of entries) await reading.take(entry);
    await feeding;
  } catch (error) {
    entries.destroy();
    options.signal.throwIfAborted();
    if (error instanceof BadActionArchive) throw error;
    throw new BadActionArchive("it is not a whole tar archive", error);
  }
  return reading.summary();
}

class ArchiveReading {
  readonly #onFile: OnFile;
  readonly #limits: ArchiveLimits;
  readonly #lines = new Map<string, string>();
  /** What must not have anything below it. */
  readonly #leaves = new Set<string>();
  #bytes = 0;

  constructor(onFile: OnFile, limits: ArchiveLimits) {
    this.#onFile = onFile;
    this.#limits = limits;
  }

  async take(entry: Entry): Promise<void> {
    const { type, name, mode } = entry.header;
    if (type === "directory") return void entry.resume();
    const path = plainPath(name);
    const kind = type === "symlink" ? "symlink" : ((mode ?? 0) & 0o100) === 0 ? "file" : "executable";
    if (type !== "file" && type !== "symlink") throw new BadActionArchive(`"${name}" is a ${type ?? "thing"}`);
    this.#claim(path);
    const target = type === "symlink" ? insideTarget(path, entry.header.linkname ?? "") : "";
    const hash = createHash("sha256").update(target);
    await this.#onFile({ path, kind, target }, this.#counted(entry, hash));
    this.#lines.set(path, `${modes[kind]} ${hash.digest("hex")} ${path}\n`);
  }

  summary(): ArchiveSummary {
    const paths = [...this.#lines.keys()].map((path) => ({ path, bytes: Buffer.from(path) }));
    const hash = createHash("sha256");
    for (const { path } of paths.toSorted((a, b) => Buffer.compare(a.bytes, b.bytes))) {
      hash.update(this.#lines.get(path) ?? "");
    }
    return { digest: `sha256:${hash.digest("hex")}`, files: paths.length, bytes: this.#bytes };
  }

  /** Each path once, and none below one that is no folder: what was written is not written through. */
  #claim(path: string): void {
    if (this.#leaves.size >= this.#limits.files) {
      throw new BadActionArchive(`it has over ${this.#limits.files} files`);
    }
    if (this.#leaves.has(path)) throw new BadActionArchive(`"${path}" is in it twice`);
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      const above = path.slice(0, slash);
      if (this.#leaves.has(above)) throw new BadActionArchive(`"${path}" lies below "${above}", which is no folder`);
    }
    this.#leaves.add(path);
  }

  async *#counted(entry: Entry, hash: ReturnType<typeof createHash>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      this.#bytes += chunk.length;
      if (this.#bytes > this.#limits.bytes) throw new BadActionArchive(`it is over ${this.#limits.bytes} bytes`);
      hash.update(chunk);
      yield chunk;
    }
  }
}

function plainPath(name: string): string {
  const parts = name.split("/");
  const usable = parts.every((part) => part !== "" && part !== "." && part !== "..");
  if (usable && !name.includes("\0") && name.length <= maxPathLength) return name;
  throw new BadActionArchive(`"${name.slice(0, 200)}" is no path inside it`);
}

/**
 * A target is some `..` and then plain names. The folder of a link is a real one, so the `..` are counted right; and what
 * the names pass through are links of which the same holds. `a/..` with a link `a` would lead elsewhere than it reads.
 */
function insideTarget(path: string, target: string): string {
  const parts = target.split("/").filter((part) => part !== "." && part !== "");
  const up = parts.findIndex((part) => part !== "..");
  const climbs = up < 0 ? parts.length : up;
  const depth = path.split("/").length - 1;
  const plain = parts.slice(climbs).every((part) => part !== "..");
  if (target !== "" && !target.startsWith("/") && !target.includes("\0") && plain && climbs <= depth) return target;
  throw new BadActionArchive(`the symbolic link "${path}" leads to "${target.slice(0, 200)}", outside of it`);
}

/** For whoever wants the digest only. */
export async function drain(_file: ArchivedFile, content: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _chunk of content);
}
