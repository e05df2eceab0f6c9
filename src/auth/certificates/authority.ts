/**
 * The certificate authority of one installation, made at its first start, and the certificate of its server.
 *
 * Invariant: a key is on disk before anything it signed is, so a start that was cut short leaves nothing that cannot be
 * gone on from.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from "node:crypto";
import { join } from "node:path";
import { type Clock, errorMessage, readFileIfExists, writeFileAtomic } from "#lib";
import { AuthError } from "../errors.ts";
import { addressBytes, type CertificateContent, signCertificate } from "./certificate.ts";
import { isIP } from "node:net";

export interface ServerCredentials {
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
  /** When to ask for the next ones: while a third of the time is still left. */
  readonly renewAt: Temporal.Instant;
}

export interface AuthorityOptions {
  /** Where its files lie, readable by the owner only. */
  readonly folder: string;
  readonly clock: Clock;
}

const authorityName = "tidegate-kubernetes-ca";
const serverName = "tidegate-kubernetes";
const authorityDays = 3650;
const serverDays = 365;
/** For clients whose clocks are behind. */
const backdateHours = 1;

export class Authority {
  /** PEM: what clients check the server by. */
  readonly certificate: string;
  readonly #options: AuthorityOptions;
  readonly #privateKey: KeyObject;

  private constructor(options: AuthorityOptions, privateKey: KeyObject, certificate: string) {
    this.#options = options;
    this.#privateKey = privateKey;
    this.certificate = certificate;
  }

  /**
   * Takes up the authority in the folder, or makes one. The certificate of one that is near its end is made again with
   * the same key: what it signed stays good. Throws AuthError when its files cannot be read as what they are.
   */
  static async open(options: AuthorityOptions): Promise<Authority> {
    const { folder, clock } = options;
    const privateKey = await ensurePrivateKey(join(folder, "kubernetes-ca.key"));
    const file = join(folder, "kubernetes-ca.crt");
    const kept = await readCertificate(file);
    const now = clock.now();
    if (kept !== undefined && isFresh(kept, now) && kept.checkPrivateKey(privateKey)) {
      return new Authority(options, privateKey, kept.toString());
    }
    const certificate = signCertificate(
      {
        ...validity(now, authorityDays),
        commonName: authorityName,
        publicKey: createPublicKey(privateKey),
        use: { kind: "authority" },
      },
      { commonName: authorityName, privateKey },
    );
    await writeFileAtomic(file, certificate, 0o600);
    return new Authority(options, privateKey, certificate);
  }

  /** Those on disk while they are good and stand for exactly these names; otherwise new ones. */
  async serverCredentials(names: readonly string[]): Promise<ServerCredentials> {
    const { folder, clock } = this.#options;
    const privateKey = await ensurePrivateKey(join(folder, "kubernetes-server.key"));
    const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const file = join(folder, "kubernetes-server.crt");
    const now = clock.now();
    const kept = await readCertificate(file);
    if (kept !== undefined && this.#isGood(kept, { privateKey, names, now })) {
      return { key, certificate: kept.toString(), renewAt: renewalOf(kept) };
    }
    const certificate = signCertificate(
      {
        ...validity(now, serverDays),
        commonName: serverName,
        publicKey: createPublicKey(privateKey),
        use: { kind: "server", names },
      },
      { commonName: authorityName, privateKey: this.#privateKey },
    );
    await writeFileAtomic(file, certificate, 0o600);
    return { key, certificate, renewAt: renewalOf(new X509Certificate(certificate)) };
  }

  #isGood(
    kept: X509Certificate,
    wanted: { readonly privateKey: KeyObject; readonly names: readonly string[]; readonly now: Temporal.Instant },
  ): boolean {
    return (
      isFresh(kept, wanted.now) &&
      kept.checkPrivateKey(wanted.privateKey) &&
      kept.verify(createPublicKey(this.#privateKey)) &&
      sameNames(kept, wanted.names)
    );
  }
}

/**
 * The private key in `file`; made when there is none, on P-256, or RSA for those who read nothing else. Throws AuthError
 * for what is no key.
 */
export async function ensurePrivateKey(file: string, kind: "ec" | "rsa" = "ec"): Promise<KeyObject> {
  const kept = await readFileIfExists(file);
  if (kept !== undefined) {
    try {
      return createPrivateKey(kept);
    } catch (error) {
      throw unreadable(file, "key", error);
    }
  }
  const { privateKey } =
    kind === "ec"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFileAtomic(file, privateKey.export({ type: "pkcs8", format: "pem" }).toString(), 0o600);
  return privateKey;
}

async function readCertificate(file: string): Promise<X509Certificate | undefined> {
  const kept = await readFileIfExists(file);
  if (kept === undefined) return undefined;
  try {
    return new X509Certificate(kept);
  } catch (error) {
    throw unreadable(file, "certificate", error);
  }
}

function unreadable(file: string, what: string, error: unknown): AuthError {
  const remedy = "put back what it was, or remove it to have a new one made";
  return new AuthError(
    "auth/unreadable-key",
    `Cannot read the ${what} in "${file}": ${errorMessage(error)}; ${remedy}`,
    {
      cause: error,
    },
  );
}

function validity(now: Temporal.Instant, days: number): Pick<CertificateContent, "serial" | "notBefore" | "notAfter"> {
  return {
    serial: randomBytes(16),
    notBefore: now.subtract({ hours: backdateHours }),
    notAfter: now.add({ hours: days * 24 }),
  };
}

function isFresh(certificate: X509Certificate, now: Temporal.Instant): boolean {
  const from = certificate.validFromDate.getTime();
  return from <= now.epochMilliseconds && Temporal.Instant.compare(now, renewalOf(certificate)) < 0;
}

function renewalOf({ validFromDate, validToDate }: X509Certificate): Temporal.Instant {
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(from + ((to - from) * 2) / 3));
}

/** OpenSSL prints `DNS:localhost, IP Address:127.0.0.1`, addresses in its own spelling. */
function sameNames(certificate: X509Certificate, names: readonly string[]): boolean {
  const kept = (certificate.subjectAltName ?? "").split(", ").map((entry) => entry.slice(entry.indexOf(":") + 1));
  const spelled = (name: string): string => (isIP(name) === 0 ? name : Buffer.from(addressBytes(name)).toString("hex"));
  const own = new Set(kept.map(spelled));
  return own.size === new Set(names.map(spelled)).size && names.every((name) => own.has(spelled(name)));
}
