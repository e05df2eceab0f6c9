/** A registry in a process of its own, to be killed; says when a chunk has partly been written. */
import { stat } from "node:fs/promises";
import { systemClock } from "#lib";
import { startRegistry } from "./testing.ts";

/** What a test starts. */
export const mortalRegistry = import.meta.filename;

const [folder = ""] = process.argv.slice(2);

if (import.meta.main) {
  const server = await startRegistry({ folder });
  const { uploads, files } = server.registry;
  const append = uploads.append.bind(uploads);
  uploads.append = async (repository, id, source, start, length) => {
    const { offset } = await uploads.status(repository, id);
    if (offset === 0) return await append(repository, id, source, start, length);
    const done = append(repository, id, source, start, length);
    while ((await stat(files.uploadPath(id))).size === offset) await systemClock.sleep(5, AbortSignal.timeout(5000));
    process.stdout.write(`received ${(await stat(files.uploadPath(id))).size - offset}\n`);
    return await done;
  };
  process.stdout.write(`${server.port}\n`);
}
