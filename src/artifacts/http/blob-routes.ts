/** Content through signed addresses, spoken as Azure's block blobs are: what the official clients upload with. */
import { parseRange } from "#lib";
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { ArtifactsError } from "../errors.ts";
import type { ArtifactService } from "../service.ts";
import type { ByteSource } from "../store/blobs.ts";
import { readBlockList } from "./block-list.ts";

type BlobRequest = FastifyRequest<{ Params: { id: string }; Querystring: Record<string, unknown> }>;

const path = "/tidegate/blobs/:id";

/** Mount at `/_blob`. */
export function blobRoutes(service: ArtifactService): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers();
    // Content is streamed: the limit of a blob is that of its store.
    app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    app.setErrorHandler(sendAzureError);
    app.put(path, async (request: BlobRequest, reply) => await put(service, request, reply));
    app.get(path, async (request: BlobRequest, reply) => await get(service, request, reply));
  };
}

async function put(service: ArtifactService, request: BlobRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { id } = request.params;
  if (!service.urls.permits({ id, access: "write" }, request.query)) return refuse(reply);
  const source = (request.body ?? request.raw) as ByteSource;
  const { comp, blockid } = request.query;
  if (comp === "block") {
    if (typeof blockid !== "string" || blockid.length === 0 || blockid.length > 128) {
      throw new ArtifactsError("artifacts/invalid", "A block needs a blockid of 1 to 128 characters");
    }
    await service.blobs.putBlock(id, blockid, source);
  } else if (comp === "blocklist") {
    await service.blobs.commitBlocks(id, await readBlockList(source));
  } else if (comp === undefined) {
    await service.blobs.putWhole(id, source);
  } else {
    throw new ArtifactsError(
      "artifacts/invalid",
      "Unknown operation on a blob: it can be put whole, in blocks, or as a list of blocks",
    );
  }
  return reply.code(201).headers(blobHeaders(id)).send();
}

async function get(service: ArtifactService, request: BlobRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { id } = request.params;
  if (!service.urls.permits({ id, access: "read" }, request.query)) return refuse(reply);
  const size = await service.blobs.size(id);
  if (size === undefined) throw new ArtifactsError("artifacts/not-found", "The content is gone");
  const header = request.headers["x-ms-range"] ?? request.headers.range;
  const range = parseRange(typeof header === "string" ? header : undefined, size);
  reply.headers({
    ...blobHeaders(id),
    "x-content-type-options": "nosniff",
    "accept-ranges": "bytes",
    "content-type": contentType(request.query),
  });
  const { rscd } = request.query;
  if (typeof rscd === "string" && rscd !== "")
    reply.header("content-disposition", `attachment; filename*=UTF-8''${encodeURIComponent(rscd)}`);
  if (range.kind === "unsatisfiable") return reply.code(416).header("content-range", `bytes */${size}`).send();
  const part = range.kind === "part" ? range : undefined;
  if (part !== undefined) reply.code(206).header("content-range", `bytes ${part.start}-${part.end}/${size}`);
  reply.header("content-length", part === undefined ? size : part.end - part.start + 1);
  if (request.method === "HEAD") return reply.send();
  return reply.send(service.blobs.read(id, part));
}

/** Clients unzip what is `application/zip`; caches are not looked at. */
function contentType({ rsct }: Readonly<Record<string, unknown>>): string {
  return typeof rsct === "string" && /^[\w.+-]+\/[\w.+-]+$/.test(rsct) ? rsct : "application/octet-stream";
}

function blobHeaders(id: string): Record<string, string> {
  return { etag: `"${id}"`, "x-ms-request-id": id, "x-ms-version": "2025-05-05", "x-ms-blob-type": "BlockBlob" };
}

function refuse(reply: FastifyReply): FastifyReply {
  return reply.code(403).send(azureError("AuthenticationFailed", "The address has expired, or is not for this"));
}

function sendAzureError(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!(error instanceof ArtifactsError)) throw error;
  const status = { "artifacts/too-large": 413, "artifacts/not-found": 404 }[error.code as string] ?? 400;
  const code = status === 404 ? "BlobNotFound" : status === 413 ? "RequestBodyTooLarge" : "InvalidInput";
  return reply.code(status).header("x-ms-error-code", code).send(azureError(code, error.message));
}

function azureError(code: string, message: string): string {
  const escaped = message.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${escaped}</Message></Error>`;
}
