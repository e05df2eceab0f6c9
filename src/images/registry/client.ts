/** Client of the OCI distribution protocol: what building and pushing an image needs of a registry. */
import { createHash } from "node:crypto";
import { createWriteStream, openAsBlob } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { sha256Digest, systemIds, type Clock } from "#lib";
import { ImageError } from "../errors.ts";
import { formatImageReference, manifestReference, type ImageReference } from "../reference.ts";
import { reachableUrl, registryBaseUrl } from "./address.ts";
import { Authorizer, type CredentialsSource } from "./authorizer.ts";
import { parseChallenge } from "./challenge.ts";
import { type Patience, persistentRegistryClient } from "./persistent-client.ts";
import { unreachable } from "./unreachable.ts";

/** Bytes in memory or a file, with the digest already known. */
interface BlobSource {
  readonly digest: string;
  readonly size: number;
  readonly content: { readonly path: string } | { readonly bytes: Uint8Array };
}

export interface PulledManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly digest: string;
}

export interface RegistryClient {
  /** The manifest or index behind the reference, its digest verified. */
  getManifest(reference: ImageReference, signal: AbortSignal): Promise<PulledManifest>;
  /** A small blob (a config) whole. */
  readBlob(reference: ImageReference, digest: string, signal: AbortSignal): Promise<Buffer>;
  /** A blob into a file that appears only when its digest was right. */
  pullBlob(reference: ImageReference, digest: string, path: string, signal: AbortSignal): Promise<void>;
  /** Sends a blob unless the repository has it; `mountFrom` names a repository of the same host that may. */
  pushBlob(
    reference: ImageReference,
    blob: BlobSource,
    mountFrom: string | undefined,
    signal: AbortSignal,
  ): Promise<"present" | "mounted" | "uploaded">;
  pushManifest(reference: ImageReference, bytes: Uint8Array, mediaType: string, signal: AbortSignal): Promise<void>;
  /** Returns when the registry takes the credentials of the host. */
  checkLogin(host: string, signal: AbortSignal): Promise<void>;
}

export interface RegistryClientOptions {
  readonly credentials: CredentialsSource;
  readonly clock: Clock;
  /** Without it a registry that is away is an error at once. */
  readonly patience?: Patience;
}

const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** Distribution asks registries to take at least 4 MiB; nothing larger is a manifest or a config. */
const maxSmallBytes = 4 * 1024 * 1024;

export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const client = new FetchRegistryClient(options);
  const { patience, clock } = options;
  return patience === undefined ? client : persistentRegistryClient(client, patience, clock);
}

interface Call {
  readonly method: string;
  readonly url: URL;
  readonly scope: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Blob | Uint8Array;
  readonly signal: AbortSignal;
}

class FetchRegistryClient implements RegistryClient {
  readonly #authorizer: Authorizer;

  constructor(options: RegistryClientOptions) {
    this.#authorizer = new Authorizer(options.credentials, options.clock);
  }

  async getManifest(reference: ImageReference, signal: AbortSignal): Promise<PulledManifest> {
    const url = endpoint(reference, `manifests/${manifestReference(reference)}`);
    const scope = pullScope(reference);
    const response = await this.#send(reference, {
      method: "GET",
      url,
      scope,
      headers: { accept: manifestTypes },
      signal,
    });
    if (!response.ok) throw await refused("pull", reference, response);
    const bytes = await readLimited(response, reference);
    const digest = sha256Digest(bytes);
    if (reference.digest?.startsWith("sha256:") === true && reference.digest !== digest) {
      throw mismatch(reference, reference.digest, digest);
    }
    return { bytes, digest, mediaType: (response.headers.get("content-type") ?? "").split(";")[0]?.trim() ?? "" };
  }

  async readBlob(reference: ImageReference, digest: string, signal: AbortSignal): Promise<Buffer> {
    const response = await this.#getBlob(reference, digest, signal);
    const bytes = await readLimited(response, reference);
    const found = digestLike(digest, bytes);
    if (found !== digest) throw mismatch(reference, digest, found);
    return bytes;
  }

  async pullBlob(reference: ImageReference, digest: string, path: string, signal: AbortSignal): Promise<void> {
    const response = await this.#getBlob(reference, digest, signal);
    await mkdir(dirname(path), { recursive: true });
    const draft = `${path}.${systemIds.suffix(8)}.part`;
    const hash = createHash(digest.startsWith("sha512:") ? "sha512" : "sha256");
    const tap = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    try {
      const body = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body);
      await pipeline(body, tap, createWriteStream(draft), { signal });
      const found = `${digest.split(":")[0]}:${hash.digest("hex")}`;
      if (found !== digest) throw mismatch(reference, digest, found);
      await rename(draft, path);
    } catch (error) {
      signal.throwIfAborted();
      throw brokenOff(reference, error);
    } finally {
      await rm(draft, { force: true });
    }
  }

  async pushBlob(
    reference: ImageReference,
    blob: BlobSource,
    mountFrom: string | undefined,
    signal: AbortSignal,
  ): Promise<"present" | "mounted" | "uploaded"> {
    const scope = pushScope(reference, mountFrom);
    const head = await this.#send(reference, {
      method: "HEAD",
      url: endpoint(reference, `blobs/${blob.digest}`),
      scope,
      signal,
    });
    if (head.ok) return "present";
    if (head.status !== 404) throw await refused("push to", reference, head);
    const start = endpoint(reference, "blobs/uploads/");
    if (mountFrom !== undefined) {
      start.searchParams.set("mount", blob.digest);
      start.searchParams.set("from", mountFrom);
    }
    const opened = await this.#send(reference, { method: "POST", url: start, scope, signal });
    await opened.body?.cancel();
    if (opened.status === 201) return "mounted";
    const location = opened.headers.get("location");
    if (opened.status !== 202 || location === null) throw await refused("push to", reference, opened);
    // OCI distribution 1.1, "Pushing a blob monolithically": POST, then PUT with the digest.
    const target = reachableUrl(new URL(location, start));
    target.searchParams.set("digest", blob.digest);
    const body = "path" in blob.content ? await openAsBlob(blob.content.path) : blob.content.bytes;
    const headers = { "content-type": "application/octet-stream" };
    const put = await this.#send(reference, { method: "PUT", url: target, scope, headers, body, signal });
    if (!put.ok) throw await refused("push to", reference, put);
    await put.body?.cancel();
    return "uploaded";
  }

  async pushManifest(
    reference: ImageReference,
    bytes: Uint8Array,
    mediaType: string,
    signal: AbortSignal,
  ): Promise<void> {
    const url = endpoint(reference, `manifests/${manifestReference(reference)}`);
    const headers = { "content-type": mediaType };
    const scope = pushScope(reference, undefined);
    const response = await this.#send(reference, { method: "PUT", url, scope, headers, body: bytes, signal });
    if (!response.ok) throw await refused("push to", reference, response);
    await response.body?.cancel();
  }

  async checkLogin(host: string, signal: AbortSignal): Promise<void> {
    const url = new URL(`${registryBaseUrl(host)}/v2/`);
    const response = await this.#send({ host, repository: "" }, { method: "GET", url, scope: "", signal });
    await response.body?.cancel();
    if (response.ok) return;
    const message = `Cannot log in to registry "${host}": it answered ${response.status}, check the user name and password`;
    throw new ImageError("images/registry-refused", message, { details: { status: response.status } });
  }

  async #getBlob(reference: ImageReference, digest: string, signal: AbortSignal): Promise<Response> {
    const url = endpoint(reference, `blobs/${digest}`);
    const response = await this.#send(reference, { method: "GET", url, scope: pullScope(reference), signal });
    if (!response.ok) throw await refused("pull", reference, response);
    return response;
  }

  /** One request, repeated once with the authorisation the registry asks for. */
  async #send(reference: ImageReference, call: Call): Promise<Response> {
    const held = this.#authorizer.header(reference.host, call.scope);
    const first = await this.#fetch(reference, call, held);
    if (first.status !== 401) return first;
    const challenge = parseChallenge(first.headers.get("www-authenticate") ?? "");
    if (challenge === undefined) return first;
    const answer = await this.#authorizer.answer(reference.host, call.scope, challenge, call.signal);
    if (answer === undefined) return first;
    await first.body?.cancel();
    return await this.#fetch(reference, call, answer);
  }

  async #fetch(reference: ImageReference, call: Call, authorization: string | undefined): Promise<Response> {
    const headers: Record<string, string> = { ...call.headers };
    // An upload location may be on another host (an object store with a signed URL): it gets no token of ours.
    const own = call.url.origin === new URL(registryBaseUrl(reference.host)).origin;
    if (authorization !== undefined && own) headers["authorization"] = authorization;
    try {
      return await fetch(call.url, {
        method: call.method,
        headers,
        signal: call.signal,
        ...(call.body === undefined ? {} : { body: call.body as NonNullable<RequestInit["body"]> }),
      });
    } catch (error) {
      call.signal.throwIfAborted();
      throw unreachable(reference.host, `${call.method} "${call.url.pathname}"`, error);
    }
  }
}

function endpoint(reference: ImageReference, rest: string): URL {
  return new URL(`${registryBaseUrl(reference.host)}/v2/${reference.repository}/${rest}`);
}

function pullScope(reference: ImageReference): string {
  return `repository:${reference.repository}:pull`;
}

function pushScope(reference: ImageReference, mountFrom: string | undefined): string {
  const own = `repository:${reference.repository}:pull,push`;
  return mountFrom === undefined || mountFrom === reference.repository ? own : `${own} repository:${mountFrom}:pull`;
}

async function readLimited(response: Response, reference: ImageReference): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > maxSmallBytes) {
        const message = `Cannot pull "${formatImageReference(reference)}": a manifest or config is over ${maxSmallBytes} bytes`;
        throw new ImageError("images/too-large", message);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    throw brokenOff(reference, error);
  }
  return Buffer.concat(chunks);
}

/** `fetch` ends a body whose connection broke with a TypeError; anything else (a full disk) is passed on. */
function brokenOff(reference: ImageReference, error: unknown): unknown {
  return error instanceof TypeError ? unreachable(reference.host, "the rest of an answer", error) : error;
}

function digestLike(digest: string, bytes: Uint8Array): string {
  if (!digest.startsWith("sha512:")) return sha256Digest(bytes);
  return `sha512:${createHash("sha512").update(bytes).digest("hex")}`;
}

function mismatch(reference: ImageReference, wanted: string, found: string): ImageError {
  const message = `Cannot pull "${formatImageReference(reference)}": the registry sent bytes with digest ${found} for ${wanted}`;
  return new ImageError("images/digest-mismatch", message);
}

/** The registry's own words are shown, cut short. */
async function refused(action: string, reference: ImageReference, response: Response): Promise<ImageError> {
  const text = (await response.text().catch(() => "")).slice(0, 500).replace(/\s+/g, " ").trim();
  const why = text === "" ? "" : `: ${text}`;
  const hint =
    response.status === 401 || response.status === 403
      ? " (log in to the registry with an account that may do this)"
      : response.status === 404
        ? " (there is no such image)"
        : "";
  return new ImageError(
    "images/registry-refused",
    `Cannot ${action} "${formatImageReference(reference)}": the registry answered ${response.status}${hint}${why}`,
    { details: { status: response.status } },
  );
}
