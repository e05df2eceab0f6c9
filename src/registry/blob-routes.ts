/** Reading and deleting blobs (end-2, end-10). */
import { createReadStream } from "node:fs";
import { parseRange } from "#lib";
import type { FastifyReply } from "fastify";
import { RegistryError } from "./errors.ts";
import { requireDigest } from "./names.ts";
import type { RegistryPath } from "./request-path.ts";
import type { Call } from "./routes.ts";

type BlobCall = Call<Extract<RegistryPath, { kind: "blob" }>>;

export async function getBlob({ registry, request, reply, path }: BlobCall): Promise<FastifyReply> {
  const digest = requireDigest(path.digest);
  const blob = await registry.blob(path.name, digest);
  if (blob === undefined) throw unknownBlob(path.name, digest);
  void reply
    .type("application/octet-stream")
    .header("docker-content-digest", digest)
    .header("etag", `"${digest}"`)
    .header("accept-ranges", "bytes")
    .header("cache-control", "private, max-age=31536000, immutable");
  if (request.method === "HEAD") return await reply.header("content-length", blob.size).send();
  const range = parseRange(request.headers.range, blob.size);
  const file = registry.blobPath(digest);
  switch (range.kind) {
    case "whole":
      void reply.header("content-length", blob.size);
      return await reply.send(blob.size === 0 ? Buffer.alloc(0) : createReadStream(file));
    case "part":
      void reply
        .code(206)
        .header("content-length", range.end - range.start + 1)
        .header("content-range", `bytes ${range.start}-${range.end}/${blob.size}`);
      return await reply.send(createReadStream(file, { start: range.start, end: range.end }));
    case "unsatisfiable": {
      const message = `Cannot send that range of "${digest}": it has ${blob.size} bytes`;
      const headers = { "content-range": `bytes */${blob.size}` };
      throw new RegistryError("SIZE_INVALID", 416, message, { headers });
    }
  }
}

export async function deleteBlob({ registry, reply, path }: BlobCall): Promise<FastifyReply> {
  const digest = requireDigest(path.digest);
  if (!(await registry.deleteBlob(path.name, digest))) throw unknownBlob(path.name, digest);
  return await reply.code(202).send();
}

function unknownBlob(name: string, digest: string): RegistryError {
  return new RegistryError("BLOB_UNKNOWN", 404, `Cannot find blob "${digest}" in "${name}"`, { detail: { digest } });
}
