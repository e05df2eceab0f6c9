/**
 * The key-encryption keys, the current one first. More than one only while a rotation is under way: then each stored
 * secret is under one of them. Pure but for making a key.
 */
import { createHash, randomBytes } from "node:crypto";
import { SecretsError } from "./errors.ts";

export interface MasterKey {
  /** Follows from the bytes: a key file of another installation is told from ours before anything is decrypted. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** Never empty. */
export type KeyRing = readonly [MasterKey, ...(readonly MasterKey[])];

const keyBytes = 32;

export function newMasterKey(): MasterKey {
  return masterKey(randomBytes(keyBytes));
}

export function masterKey(bytes: Uint8Array): MasterKey {
  // A hash of 256 random bits gives nothing of them away.
  const id = createHash("sha256").update("tidegate key id\n").update(bytes).digest("hex").slice(0, 16);
  return { id, bytes };
}

/** A key a line, in base64url. */
export function printKeyRing(ring: KeyRing): string {
  return ring.map(({ bytes }) => `${Buffer.from(bytes).toString("base64url")}\n`).join("");
}

/** @throws SecretsError, which quotes nothing of the text */
export function parseKeyRing(text: string, where: string): KeyRing {
  const [first, ...others] = text
    .trim()
    .split("\n")
    .map((line, index) => {
      // 32 bytes are 43 digits; the last carries 4 bits, so its canonical values end in 00.
      if (/^[\w-]{42}[AEIMQUYcgkosw048]$/.test(line)) return masterKey(Buffer.from(line, "base64url"));
      const message = `Cannot read the keys of the secrets from "${where}": line ${index + 1} is not a key. Bring back the file from a copy`;
      throw new SecretsError("secrets/key-damaged", message);
    });
  if (first === undefined) throw new SecretsError("secrets/key-damaged", `There is no key in "${where}"`);
  return [first, ...others];
}
