/** The key-encryption keys in one file that its owner alone may read. */
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { errorCode, writeFileAtomic } from "#lib";
import { SecretsError } from "./errors.ts";
import { parseKeyRing, printKeyRing } from "./key-ring.ts";
import type { KeyStorePort } from "./ports.ts";

const mode = 0o600;
/** Two keys are 88; more only after rotations that could not end. */
const maxBytes = 4096;

export function keyFile(path: string): KeyStorePort {
  return {
    async read() {
      const text = await readSmall(path);
      return text === undefined ? undefined : parseKeyRing(text, path);
    },
    async write(ring) {
      await writeFileAtomic(path, printKeyRing(ring), mode);
      await syncFolder(dirname(path));
    },
  };
}

async function readSmall(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, "r");
    const found = await file.stat();
    if ((found.mode & 0o077) !== 0) await file.chmod(mode);
    if (found.size <= maxBytes) return await file.readFile("utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  throw new SecretsError("secrets/key-damaged", `Cannot read the keys of the secrets from "${path}": it is too large`);
}

/** A renamed file is certain to have its new name after a loss of power only when its folder is synced, too. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync();
}
