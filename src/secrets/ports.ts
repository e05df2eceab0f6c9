/** What this room needs from others, named for the need. */
import type { KeyRing } from "./key-ring.ts";

/** Keeps the key-encryption keys apart from what they encrypt. */
export interface KeyStorePort {
  /** Undefined when there are none yet. @throws SecretsError when what is there are no keys */
  read(): Promise<KeyRing | undefined>;
  /** Replaces them whole. When it returns, a loss of power takes nothing back. */
  write(ring: KeyRing): Promise<void>;
}
