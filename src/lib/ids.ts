/** The only door through which chance enters. */
import { randomBytes, randomInt, randomUUID } from "node:crypto";

export interface Ids {
  uuid(): string;
  /** URL-safe secret of `bytes` random bytes. */
  secret(bytes?: number): string;
  /** `length` characters that Kubernetes uses for generated names: no vowels, so no words. */
  suffix(length?: number): string;
  /** A number in [0, 1). */
  random(): number;
}

const suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";

export const systemIds: Ids = {
  uuid: () => randomUUID(),
  secret: (bytes = 24) => randomBytes(bytes).toString("base64url"),
  suffix(length = 5) {
    let text = "";
    for (let i = 0; i < length; i++) text += suffixAlphabet[randomInt(suffixAlphabet.length)];
    return text;
  },
  random: () => Math.random(),
};
