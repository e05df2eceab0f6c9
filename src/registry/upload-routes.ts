/** Pushing blobs (end-4a, 4b, 5, 6, 11, 13, 14). */
import type { FastifyReply } from "fastify";
import { RegistryError } from "./errors.ts";
import { isRepositoryName, requireDigest } from "./names.ts";
import { parseChunkRange } from "./ranges.ts";
import type { RegistryPath } from "./request-path.ts";
import type { Call } from "./routes.ts";
import { rangeOf, type ByteSource, type UploadStatus } from "./uploads.ts";

type BeginCall = Call<Extract<RegistryPath, { kind: "uploads" }>>;
type UploadCall = Call<Extract<RegistryPath, { kind: "upload" }>>;

/** Repositories looked at for a mount without `from`. */
const maxHolders = 100;

export async function beginUpload(call: BeginCall): Promise<FastifyReply> {
  const { registry, query, path, reply } = call;
  const mount = query.get("mount");
  if (mount !== null && (await mounted(call, requireDigest(mount)))) return await created(reply, path.name, mount);
  const digest = query.get("digest");
  if (digest !== null) return await pushWhole(call, requireDigest(digest));
  const upload = await registry.uploads.begin(path.name);
  return await progress(reply.code(202), path.name, upload);
}

/** Only from where the visitor may pull: a mount must not tell what other repositories hold. */
async function mounted({ registry, query, path, visitor }: BeginCall, digest: string): Promise<boolean> {
  const from = query.get("from");
  const sources = from === null ? await registry.holders(digest, maxHolders) : [from];
  for (const source of sources) {
    if (!isRepositoryName(source) || !visitor.may(source, "pull")) continue;
    if (await registry.mount(source, path.name, digest)) return true;
  }
  return false;
}

async function pushWhole({ registry, request, path, reply }: BeginCall, digest: string): Promise<FastifyReply> {
  const { id } = await registry.uploads.begin(path.name);
  try {
    await registry.uploads.append(path.name, id, request.raw as ByteSource, 0);
    await registry.uploads.finish(path.name, id, digest);
  } catch (error) {
    // Nobody was told of this upload, so nobody can resume it.
    await registry.uploads.cancel(path.name, id).catch(() => {});
    throw error;
  }
  return await created(reply, path.name, digest);
}

export async function uploadStatus({ registry, path, reply }: UploadCall): Promise<FastifyReply> {
  return await progress(reply.code(204), path.name, await registry.uploads.status(path.name, path.id));
}

export async function patchUpload(call: UploadCall): Promise<FastifyReply> {
  const { registry, path, request, reply } = call;
  const chunk = chunkOf(call);
  const body = request.raw as ByteSource;
  return await progress(
    reply.code(202),
    path.name,
    await registry.uploads.append(path.name, path.id, body, chunk?.start, chunk?.length),
  );
}

export async function finishUpload(call: UploadCall): Promise<FastifyReply> {
  const { registry, path, request, reply, query } = call;
  const digest = requireDigest(query.get("digest") ?? "");
  const chunk = chunkOf(call);
  const { uploads } = registry;
  if (hasBody(call)) {
    await uploads.append(path.name, path.id, request.raw as ByteSource, chunk?.start, chunk?.length);
  }
  await uploads.finish(path.name, path.id, digest);
  return await created(reply, path.name, digest);
}

export async function cancelUpload({ registry, path, reply }: UploadCall): Promise<FastifyReply> {
  await registry.uploads.cancel(path.name, path.id);
  return await reply.code(204).send();
}

function hasBody({ request }: UploadCall): boolean {
  const length = request.headers["content-length"];
  return request.headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

function chunkOf(call: UploadCall): { readonly start: number; readonly length: number } | undefined {
  const header = call.request.headers["content-range"];
  if (header === undefined || !hasBody(call)) return undefined;
  const range = parseChunkRange(header);
  if (range === undefined) {
    const message = `Cannot read Content-Range "${header.slice(0, 100)}": it must be <first byte>-<last byte>`;
    throw new RegistryError("BLOB_UPLOAD_INVALID", 416, message);
  }
  return { start: range.start, length: range.end - range.start + 1 };
}

async function progress(reply: FastifyReply, name: string, { id, offset }: UploadStatus): Promise<FastifyReply> {
  return await reply
    .header("location", `/v2/${name}/blobs/uploads/${id}`)
    .header("range", rangeOf(offset))
    .header("docker-upload-uuid", id)
    .send();
}

async function created(reply: FastifyReply, name: string, digest: string): Promise<FastifyReply> {
  return await reply
    .code(201)
    .header("location", `/v2/${name}/blobs/${digest}`)
    .header("docker-content-digest", digest)
    .send();
}
