/**
 * Envelope encryption: each value under a data key of its own, the data key wrapped by a key-encryption key. So a new
 * key-encryption key means wrapping 32 bytes a secret again, and the values stay as they lie.
 *
 * Both layers are AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce: a data key encrypts one value ever, and a
 * key-encryption key stays far below the 2^32 uses that clause 8.3 allows. What is authenticated with them names the layer,
 * the scope and the name, so bytes moved to another row do not open there.
 *
 * Chance is not injected here: whoever could repeat a nonce could read what was encrypted under it.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { SecretsError } from "./errors.ts";
import type { MasterKey } from "./key-ring.ts";

/** Where a secret lies; a value opens in its own place only. */
export interface Place {
  /** As `scopeKey` makes it. */
  readonly scope: string;
  readonly name: string;
}

export interface Sealed {
  /** Of the key-encryption key. */
  readonly keyId: string;
  readonly wrappedKey: Uint8Array;
  readonly sealedValue: Uint8Array;
}

const cipher = "aes-256-gcm";
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

export function seal(value: string, place: Place, key: MasterKey): Sealed {
  const dataKey = randomBytes(keyBytes);
  try {
    return {
      keyId: key.id,
      wrappedKey: encrypt(dataKey, key.bytes, associated("key", place, key.id)),
      sealedValue: encrypt(Buffer.from(value, "utf8"), dataKey, associated("value", place)),
    };
  } finally {
    dataKey.fill(0);
  }
}

/** @throws SecretsError when no key of the ring is the one it was sealed with, or a bit of it is another */
export function unseal(sealed: Sealed, place: Place, ring: readonly MasterKey[]): string {
  const dataKey = unwrap(sealed, place, ring);
  try {
    return decrypt(sealed.sealedValue, dataKey, associated("value", place), place).toString("utf8");
  } finally {
    dataKey.fill(0);
  }
}

/** The same secret under another key-encryption key. @throws as `unseal` */
export function rewrap(sealed: Sealed, place: Place, ring: readonly MasterKey[], key: MasterKey): Sealed {
  const dataKey = unwrap(sealed, place, ring);
  try {
    return { ...sealed, keyId: key.id, wrappedKey: encrypt(dataKey, key.bytes, associated("key", place, key.id)) };
  } finally {
    dataKey.fill(0);
  }
}

function unwrap(sealed: Sealed, place: Place, ring: readonly MasterKey[]): Buffer {
  const key = ring.find(({ id }) => id === sealed.keyId);
  if (key === undefined) {
    const message = `Cannot read ${placeText(place)}: it was encrypted with key ${sealed.keyId}, and the key file holds other keys. Bring back the key file that belongs to this database, or set the secret again`;
    throw new SecretsError("secrets/key-missing", message);
  }
  const dataKey = decrypt(sealed.wrappedKey, key.bytes, associated("key", place, key.id), place);
  if (dataKey.length === keyBytes) return dataKey;
  throw tampered(place);
}

function associated(layer: "key" | "value", { scope, name }: Place, keyId = ""): Buffer {
  return Buffer.from(JSON.stringify(["tidegate secret, form 1", layer, scope, name, keyId]));
}

function encrypt(plain: Uint8Array, key: Uint8Array, aad: Buffer): Buffer {
  const nonce = randomBytes(nonceBytes);
  const encryption = createCipheriv(cipher, key, nonce).setAAD(aad);
  return Buffer.concat([nonce, encryption.update(plain), encryption.final(), encryption.getAuthTag()]);
}

function decrypt(bytes: Uint8Array, key: Uint8Array, aad: Buffer, place: Place): Buffer {
  if (bytes.length < nonceBytes + tagBytes) throw tampered(place);
  const end = bytes.length - tagBytes;
  const decryption = createDecipheriv(cipher, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decryption.setAAD(aad).setAuthTag(bytes.subarray(end));
  const plain = decryption.update(bytes.subarray(nonceBytes, end));
  try {
    return Buffer.concat([plain, decryption.final()]);
  } catch (cause) {
    throw tampered(place, cause);
  }
}

function tampered(place: Place, cause?: unknown): SecretsError {
  const message = `Cannot read ${placeText(place)}: its stored bytes were changed after it was set. Set it again`;
  return new SecretsError("secrets/tampered", message, { cause });
}

function placeText({ scope, name }: Place): string {
  return `secret "${name}" of ${scope.replace("#", ", environment ")}`;
}
