/** Writes the files of an action's archive into a folder that nobody else looks at yet. */
import { createWriteStream } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { drain, readActionArchive, type ArchivedFile, type ArchiveSummary } from "#workflows";

/** The folder must be new: what is in it could be written through. Throws `BadActionArchive`. */
export async function unpackAction(
  archive: AsyncIterable<Uint8Array>,
  folder: string,
  signal: AbortSignal,
): Promise<ArchiveSummary> {
  await mkdir(folder, { recursive: true });
  const write = async (file: ArchivedFile, content: AsyncIterable<Uint8Array>): Promise<void> => {
    const path = join(folder, file.path);
    await mkdir(dirname(path), { recursive: true });
    if (file.kind === "symlink") {
      await drain(file, content);
      await symlink(file.target, path);
      return;
    }
    const mode = file.kind === "executable" ? 0o755 : 0o644;
    await pipeline(content, createWriteStream(path, { flags: "wx", mode }), { signal });
  };
  return await readActionArchive(archive, write, { signal });
}
