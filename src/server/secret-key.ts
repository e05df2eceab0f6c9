import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { errorCode, writeFileAtomic } from "#lib";

/** 32 random bytes, made once and kept in `file`, readable by the owner only. */
export async function ensureSecretKey(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  const key = randomBytes(32);
  await writeFileAtomic(file, key, 0o600);
  return key;
}
