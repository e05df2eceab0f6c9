import { createHash, timingSafeEqual } from "node:crypto";

/** Lower-case hex SHA-256. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** `sha256:<hex>`, the form of OCI. */
export function sha256Digest(data: string | Uint8Array): string {
  return `sha256:${sha256Hex(data)}`;
}

/** FNV-1a, 32 bit, of the UTF-8 bytes: the hash Kubernetes and Argo name pod templates by. */
export function fnv1a32(data: string | Uint8Array): number {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

const safeAlphabet = "bcdfghjklmnpqrstvwxz2456789";

/** Kubernetes' SafeEncodeString: each character mapped into an alphabet without vowels and easily confused digits. */
export function safeEncode(text: string): string {
  let out = "";
  for (const byte of Buffer.from(text)) out += safeAlphabet[byte % safeAlphabet.length];
  return out;
}

/** Compares secrets in time that does not depend on where they differ. */
export function secretsEqual(a: string, b: string): boolean {
  const left = createHash("sha256").update(a).digest();
  const right = createHash("sha256").update(b).digest();
  return timingSafeEqual(left, right);
}
