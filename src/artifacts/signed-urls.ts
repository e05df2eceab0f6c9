/**
 * Addresses that carry their own permission, as cloud storage has them: whoever holds one may read or write one blob
 * until it expires, without a token. Clients mask the parameter `sig` by themselves.
 */
import { createHmac } from "node:crypto";
import { secretsEqual, type Clock } from "#lib";

type BlobAccess = "read" | "write";

export interface BlobAddress {
  readonly id: string;
  readonly access: BlobAccess;
}

/** How a download is to be answered. Signed like the rest: nobody makes this server say that content is a page. */
export interface Presentation {
  readonly contentType?: string;
  readonly fileName?: string;
}

/** As long as the slowest upload of one blob may take. */
const lifetimeMs = 3_600_000;

export class SignedUrls {
  readonly #key: Uint8Array;
  readonly #clock: Clock;

  constructor(key: Uint8Array, clock: Clock) {
    this.#key = key;
    this.#clock = clock;
  }

  /** Path and query, e.g. `/_blob/tidegate/blobs/<id>?se=…&sp=r&sig=…`: clients expect an account, a container, a name. */
  pathFor({ id, access }: BlobAddress, { contentType = "", fileName = "" }: Presentation = {}): string {
    const se = String(this.#clock.now().epochMilliseconds + lifetimeMs);
    const parts = { se, sp: letter(access), rsct: contentType, rscd: fileName };
    const query = new URLSearchParams({ ...parts, sig: this.#sign(id, parts) });
    return `/_blob/tidegate/blobs/${id}?${query.toString()}`;
  }

  /** Whether the query of a request permits it. A permission to write does not let read. */
  permits({ id, access }: BlobAddress, query: Readonly<Record<string, unknown>>): boolean {
    const { se, sp, rsct, rscd, sig } = query;
    if (typeof se !== "string" || typeof sig !== "string" || sp !== letter(access)) return false;
    if (typeof rsct !== "string" || typeof rscd !== "string") return false;
    if (!/^\d{1,16}$/.test(se) || Number(se) < this.#clock.now().epochMilliseconds) return false;
    return secretsEqual(sig, this.#sign(id, { se, sp, rsct, rscd }));
  }

  #sign(id: string, parts: Readonly<Record<"se" | "sp" | "rsct" | "rscd", string>>): string {
    const { se, sp, rsct, rscd } = parts;
    return createHmac("sha256", this.#key)
      .update(JSON.stringify([id, sp, se, rsct, rscd]))
      .digest("base64url");
  }
}

function letter(access: BlobAccess): string {
  return access === "read" ? "r" : "w";
}
