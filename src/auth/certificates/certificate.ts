/** Makes and signs X.509 certificates (RFC 5280) with keys on P-256: one that signs others, and ones for servers. */
import { createHash, createPublicKey, type KeyObject, sign } from "node:crypto";
import { isIP } from "node:net";
import * as der from "./der.ts";

export interface CertificateContent {
  readonly commonName: string;
  /** At most 20 bytes; unlike any other of the same issuer. */
  readonly serial: Uint8Array;
  readonly notBefore: Temporal.Instant;
  readonly notAfter: Temporal.Instant;
  readonly publicKey: KeyObject;
  /** authority: may sign others. server: host names and addresses it stands for. */
  readonly use: { readonly kind: "authority" } | { readonly kind: "server"; readonly names: readonly string[] };
}

export interface Issuer {
  readonly commonName: string;
  readonly privateKey: KeyObject;
}

/** The certificate as PEM. An authority is its own issuer. */
export function signCertificate(content: CertificateContent, issuer: Issuer): string {
  const algorithm = der.sequence(der.objectId("1.2.840.10045.4.3.2"));
  const body = der.sequence(
    der.context(0, der.integer(Uint8Array.of(2)), true),
    der.integer(content.serial),
    algorithm,
    nameOf(issuer.commonName),
    der.sequence(der.time(content.notBefore), der.time(content.notAfter)),
    nameOf(content.commonName),
    content.publicKey.export({ type: "spki", format: "der" }),
    der.context(3, der.sequence(...extensionsOf(content, issuer)), true),
  );
  const signature = sign("sha256", body, issuer.privateKey);
  return pem(der.sequence(body, algorithm, der.bits(signature)));
}

function nameOf(commonName: string): Uint8Array {
  return der.sequence(der.set(der.sequence(der.objectId("2.5.4.3"), der.utf8(commonName))));
}

function extensionsOf({ use, publicKey }: CertificateContent, issuer: Issuer): Uint8Array[] {
  const issuerKeyId = der.context(0, keyId(createPublicKey(issuer.privateKey)), false);
  const identity = [
    extension("2.5.29.14", der.octets(keyId(publicKey))),
    extension("2.5.29.35", der.sequence(issuerKeyId)),
  ];
  if (use.kind === "authority") {
    return [
      extension("2.5.29.19", der.sequence(der.boolean(true)), true),
      // keyCertSign and cRLSign, the sixth and seventh bit.
      extension("2.5.29.15", der.bits(Uint8Array.of(0b0000_0110), 1), true),
      ...identity,
    ];
  }
  const serverAuth = der.objectId("1.3.6.1.5.5.7.3.1");
  return [
    extension("2.5.29.19", der.sequence(), true),
    // digitalSignature, the first bit.
    extension("2.5.29.15", der.bits(Uint8Array.of(0b1000_0000), 7), true),
    extension("2.5.29.37", der.sequence(serverAuth)),
    ...identity,
    extension("2.5.29.17", der.sequence(...use.names.map(alternativeName))),
  ];
}

function extension(id: string, value: Uint8Array, critical = false): Uint8Array {
  return der.sequence(der.objectId(id), ...(critical ? [der.boolean(true)] : []), der.octets(value));
}

/** RFC 5280, 4.2.1.2, method 1, over the encoded key. */
function keyId(publicKey: KeyObject): Uint8Array {
  return createHash("sha1")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest();
}

/** RFC 5280, 4.2.1.6: an address is its bytes, anything else a DNS name. */
function alternativeName(name: string): Uint8Array {
  if (isIP(name) === 0) return der.context(2, Buffer.from(name, "latin1"), false);
  return der.context(7, addressBytes(name), false);
}

export function addressBytes(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split("."), Number);
  // The URL parser knows every way to write an IPv6 address, dotted tails too, and gives it in one.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const left = groupsOf(head);
  const right = groupsOf(tail ?? "");
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return Uint8Array.from([...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 0xff]));
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}

function pem(bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
