/** The OCI distribution API at `/v2/` and its token endpoint at `/token`. */
import { errorCode, errorMessage, type Log } from "#lib";
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { deleteBlob, getBlob } from "./blob-routes.ts";
import { requireAction, requireVisitor, scopeFor, type EntranceOptions, type Visitor } from "./entrance.ts";
import { errorBody, RegistryError } from "./errors.ts";
import { deleteManifest, getManifest, getReferrers, listTags, putManifest } from "./manifest-routes.ts";
import { requireName, type Registry } from "./registry.ts";
import { parseRegistryPath, type RegistryPath } from "./request-path.ts";
import type { Action } from "./scopes.ts";
import { getToken, postToken } from "./token-routes.ts";
import { beginUpload, cancelUpload, finishUpload, patchUpload, uploadStatus } from "./upload-routes.ts";

export interface RegistryRoutesOptions extends EntranceOptions {
  readonly registry: Registry;
  readonly log: Log;
}

/** One request with everything decided: what for, by whom. */
export interface Call<Path extends RegistryPath = RegistryPath> {
  readonly registry: Registry;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly path: Path;
  readonly query: URLSearchParams;
  readonly visitor: Visitor;
}

export function registryRoutes(options: RegistryRoutesOptions): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    app.setErrorHandler((error, _request, reply) => sendError(error, reply, options.log));
    app.get("/token", (request, reply) => getToken(options, request, reply));
    app.post("/token", (request, reply) => postToken(options, request, reply));
    for (const url of ["/v2", "/v2/*"]) {
      app.route({
        method: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        url,
        handler: (request, reply) => serve(options, request, reply),
      });
    }
    await Promise.resolve();
  };
}

async function serve(
  options: RegistryRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const url = new URL(request.url, "http://registry.invalid");
  const path = parseRegistryPath(decode(url.pathname).replace(/^\/v2\/?/, ""));
  void reply.header("docker-distribution-api-version", "registry/2.0");
  const action = actionOf(request.method);
  const scope = path === undefined || path.kind === "base" ? undefined : scopeFor(path.name, action);
  const visitor = await requireVisitor(options, request, scope);
  if (path === undefined) throw noEndpoint(request);
  if (path.kind !== "base") {
    requireName(path.name);
    requireAction(request, visitor, path.name, action);
  }
  return await dispatch({ registry: options.registry, request, reply, path, query: url.searchParams, visitor });
}

function actionOf(method: string): Action {
  if (method === "GET" || method === "HEAD") return "pull";
  return method === "DELETE" ? "delete" : "push";
}

async function dispatch(call: Call): Promise<FastifyReply> {
  const { path, request, reply } = call;
  const method = request.method === "HEAD" ? "GET" : request.method;
  switch (path.kind) {
    case "base":
      if (method === "GET") return await reply.send({});
      break;
    case "blob":
      if (method === "GET") return await getBlob({ ...call, path });
      if (method === "DELETE") return await deleteBlob({ ...call, path });
      break;
    case "uploads":
      if (method === "POST") return await beginUpload({ ...call, path });
      break;
    case "upload":
      if (method === "GET") return await uploadStatus({ ...call, path });
      if (method === "PATCH") return await patchUpload({ ...call, path });
      if (method === "PUT") return await finishUpload({ ...call, path });
      if (method === "DELETE") return await cancelUpload({ ...call, path });
      break;
    case "manifest":
      if (method === "GET") return await getManifest({ ...call, path });
      if (method === "PUT") return await putManifest({ ...call, path });
      if (method === "DELETE") return await deleteManifest({ ...call, path });
      break;
    case "tags":
      if (method === "GET") return await listTags({ ...call, path });
      break;
    case "referrers":
      if (method === "GET") return await getReferrers({ ...call, path });
      break;
  }
  throw new RegistryError("UNSUPPORTED", 405, `Cannot ${request.method} this: the registry has no such operation`);
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new RegistryError("NAME_INVALID", 400, "Cannot read the path: it is not percent-encoded UTF-8");
  }
}

function noEndpoint(request: FastifyRequest): RegistryError {
  return new RegistryError("NAME_UNKNOWN", 404, `Cannot find "${request.url.slice(0, 300)}": not part of the registry`);
}

async function sendError(error: unknown, reply: FastifyReply, log: Log): Promise<FastifyReply> {
  void reply.type("application/json; charset=utf-8");
  if (error instanceof RegistryError && error.details !== undefined) {
    const { oci, status, detail, headers = {} } = error.details;
    return await reply
      .code(status)
      .headers(headers)
      .send(errorBody(oci, error.message, detail));
  }
  if (errorCode(error) === "ECONNRESET") {
    // The client left in the middle of its request: what arrived is kept, and there is nobody to answer.
    log.debug("A registry client left", { error });
    return await reply.code(499).send();
  }
  const status = (error as { statusCode?: unknown }).statusCode;
  if (typeof status === "number" && status >= 400 && status < 500) {
    return await reply.code(status).send(errorBody("UNSUPPORTED", errorMessage(error)));
  }
  log.error("Cannot serve a registry request", { error });
  return await reply.code(500).send(errorBody("UNSUPPORTED", "Cannot serve the request: see the server's log"));
}
