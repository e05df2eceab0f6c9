/** The first cache protocol, which older releases of the cache action speak: reserve, pieces at offsets, commit. */
import { isObject } from "#lib";
import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { ArtifactsError } from "../errors.ts";
import type { JobGrant } from "../job-grant.ts";
import type { ByteSource } from "../store/blobs.ts";
import { count, grantOf, text } from "./grants.ts";
import { sendTwirpError } from "./twirp-errors.ts";
import type { TwirpRoutesOptions } from "./twirp-routes.ts";

const bodyLimit = 64 * 1024;

/** Mount at `/_apis/artifactcache`. */
export function cacheV1Routes({ service, baseUrl }: TwirpRoutesOptions): FastifyPluginAsync {
  return async (app) => {
    app.setErrorHandler(sendTwirpError);
    app.addContentTypeParser("application/octet-stream", (_request, payload, done) => done(null, payload));

    app.get("/cache", async (request: FastifyRequest<{ Querystring: Record<string, unknown> }>, reply) => {
      const grant = await requireGrant(request);
      const [key = "", ...restoreKeys] = text(request.query, "keys")
        .split(",")
        .map((part) => part.trim());
      const found = await service.caches.find(grant, key, restoreKeys, text(request.query, "version"));
      if (found === undefined) return reply.code(204).send();
      const archiveLocation = `${baseUrl()}${service.urls.pathFor({ id: found.blob, access: "read" })}`;
      return { result: "hit", archiveLocation, cacheKey: found.key, scope: found.scope };
    });

    app.post("/caches", { bodyLimit }, async (request, reply) => {
      const grant = await requireGrant(request);
      const body = isObject(request.body) ? request.body : {};
      const { id } = await service.caches.reserve(grant, text(body, "key"), text(body, "version"));
      return await reply.code(201).send({ cacheId: id });
    });

    app.patch("/caches/:id", async (request: FastifyRequest<{ Params: { id: string } }>, reply) => {
      const grant = await requireGrant(request);
      const row = await service.caches.reservedById(grant, count(request.params, "id"));
      const start = /^bytes (\d{1,15})-\d{1,15}\/(?:\*|\d+)$/.exec(request.headers["content-range"] ?? "")?.[1];
      if (start === undefined)
        throw new ArtifactsError("artifacts/invalid", "A piece needs Content-Range: bytes a-b/*");
      await service.blobs.putAt(row.blob, Number(start), (request.body ?? request.raw) as ByteSource);
      return await reply.code(204).send();
    });

    app.post("/caches/:id", { bodyLimit }, async (request: FastifyRequest<{ Params: { id: string } }>, reply) => {
      const grant = await requireGrant(request);
      const row = await service.caches.reservedById(grant, count(request.params, "id"));
      const size = count(isObject(request.body) ? request.body : {}, "size");
      await service.blobs.commitPieces(row.blob, size);
      await service.caches.finish(row, size);
      return await reply.code(204).send();
    });

    async function requireGrant(request: FastifyRequest): Promise<JobGrant> {
      const grant = await grantOf(service, request);
      if (grant !== undefined) return grant;
      throw new ArtifactsError("artifacts/forbidden", "The token is not that of a running job");
    }
  };
}
