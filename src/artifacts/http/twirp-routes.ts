/** Cache v2 and artifacts v4: Twirp with JSON bodies, as the official actions speak it. */
import { isObject } from "#lib";
import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { ArtifactsError } from "../errors.ts";
import type { JobGrant } from "../job-grant.ts";
import { runBackendId } from "../runtime-tokens.ts";
import type { ArtifactService } from "../service.ts";
import type { ArtifactRow } from "../store/schema.ts";
import { count, int64, grantOf, optionalText, text } from "./grants.ts";
import { protobufTime } from "./protobuf-time.ts";
import { sendTwirpError } from "./twirp-errors.ts";

export interface TwirpRoutesOptions {
  readonly service: ArtifactService;
  /** Where clients reach this server, without a slash at the end. */
  readonly baseUrl: () => string;
}

type Body = Readonly<Record<string, unknown>>;
type Method = (options: TwirpRoutesOptions, grant: JobGrant, body: Body) => Promise<Record<string, unknown>>;

/** Of a request: names and keys. */
const bodyLimit = 64 * 1024;

const cacheMethods: Readonly<Record<string, Method>> = {
  async CreateCacheEntry({ service, baseUrl }, grant, body) {
    const { blob } = await service.caches.reserve(grant, text(body, "key"), text(body, "version"));
    return {
      ok: true,
      signed_upload_url: `${baseUrl()}${service.urls.pathFor({ id: blob, access: "write" })}`,
      message: "",
    };
  },
  async FinalizeCacheEntryUpload({ service }, grant, body) {
    const row = await service.caches.reserved(grant, text(body, "key"), text(body, "version"));
    await service.caches.finish(row, int64(body, "size_bytes"));
    return { ok: true, entry_id: String(row.id), message: "" };
  },
  async GetCacheEntryDownloadURL({ service, baseUrl }, grant, body) {
    const found = await service.caches.find(
      grant,
      text(body, "key"),
      texts(body, "restore_keys"),
      text(body, "version"),
    );
    if (found === undefined) return { ok: false, signed_download_url: "", matched_key: "" };
    const url = `${baseUrl()}${service.urls.pathFor({ id: found.blob, access: "read" })}`;
    return { ok: true, signed_download_url: url, matched_key: found.key };
  },
};

const artifactMethods: Readonly<Record<string, Method>> = {
  async CreateArtifact({ service, baseUrl }, grant, body) {
    requireOwnRun(grant, body);
    const expiresAt = expiry(body);
    const mimeType = optionalText(body, "mime_type") ?? "application/zip";
    const artifact = { name: text(body, "name"), mimeType, ...(expiresAt === undefined ? {} : { expiresAt }) };
    const { blob } = await service.artifacts.create(grant, artifact);
    return { ok: true, signed_upload_url: `${baseUrl()}${service.urls.pathFor({ id: blob, access: "write" })}` };
  },
  async FinalizeArtifact({ service }, grant, body) {
    requireOwnRun(grant, body);
    const id = await service.artifacts.finish(
      grant,
      text(body, "name"),
      int64(body, "size"),
      optionalText(body, "hash"),
    );
    return { ok: true, artifact_id: String(id) };
  },
  async ListArtifacts({ service }, grant, body) {
    requireOwnRun(grant, body);
    const name = optionalText(body, "name_filter");
    const id = optionalText(body, "id_filter") === undefined ? undefined : count(body, "id_filter");
    const filter = { ...(name === undefined ? {} : { name }), ...(id === undefined ? {} : { id }) };
    const rows = await service.artifacts.listRows(grant.runId, filter);
    return { artifacts: rows.map((row) => monolithArtifact(grant, row)) };
  },
  async GetSignedArtifactURL({ service, baseUrl }, grant, body) {
    requireOwnRun(grant, body);
    const name = text(body, "name");
    const [row] = await service.artifacts.listRows(grant.runId, { name });
    if (row === undefined) throw new ArtifactsError("artifacts/not-found", `This run has no artifact "${name}"`);
    // A file that is no archive has its own name; clients that keep archives packed add the ending themselves.
    const fileName = row.mime_type === "application/zip" ? `${row.name}.zip` : row.name;
    const path = service.urls.pathFor({ id: row.blob, access: "read" }, { contentType: row.mime_type, fileName });
    return { signed_url: `${baseUrl()}${path}` };
  },
  async DeleteArtifact({ service }, grant, body) {
    requireOwnRun(grant, body);
    const name = text(body, "name");
    const id = await service.artifacts.removeNamed(grant.runId, name);
    if (id === undefined) throw new ArtifactsError("artifacts/not-found", `This run has no artifact "${name}"`);
    return { ok: true, artifact_id: String(id) };
  },
};

/** Mount at `/twirp`. */
export function twirpRoutes(options: TwirpRoutesOptions): FastifyPluginAsync {
  return async (app) => {
    app.setErrorHandler(sendTwirpError);
    const services = { CacheService: cacheMethods, ArtifactService: artifactMethods };
    for (const [name, methods] of Object.entries(services)) {
      for (const [method, call] of Object.entries(methods)) {
        app.post(`/github.actions.results.api.v1.${name}/${method}`, { bodyLimit }, async (request, reply) => {
          const grant = await grantOf(options.service, request);
          if (grant === undefined) return reply.code(401).send({ code: "unauthenticated", msg: noGrant });
          return await call(options, grant, bodyOf(request));
        });
      }
    }
  };
}

const noGrant = "The token is not that of a running job: ACTIONS_RUNTIME_TOKEN is good until the job ends";

function bodyOf(request: FastifyRequest): Body {
  if (isObject(request.body)) return request.body;
  throw new ArtifactsError("artifacts/invalid", "The body must be a JSON object");
}

function texts(body: Body, name: string): readonly string[] {
  const value = body[name] ?? [];
  if (Array.isArray(value) && value.every((item): item is string => typeof item === "string")) return value;
  throw new ArtifactsError("artifacts/invalid", `Field "${name}" must be a list of texts`);
}

/** Clients say the ids that their token says; another run's are not theirs to name. */
function requireOwnRun(grant: JobGrant, body: Body): void {
  if (text(body, "workflow_run_backend_id") === runBackendId(grant)) return;
  throw new ArtifactsError("artifacts/forbidden", "A job's token is for the artifacts of its own run");
}

function expiry(body: Body): number | undefined {
  const value = optionalText(body, "expires_at");
  if (value === undefined) return undefined;
  const ms = Date.parse(value);
  if (Number.isNaN(ms))
    throw new ArtifactsError("artifacts/invalid", `Field "expires_at" must be a time, not "${value}"`);
  return ms;
}

function monolithArtifact(grant: JobGrant, row: ArtifactRow): Record<string, unknown> {
  return {
    workflow_run_backend_id: runBackendId(grant),
    workflow_job_run_backend_id: row.job_id,
    database_id: String(row.id),
    name: row.name,
    size: String(row.size),
    created_at: protobufTime(row.created_at),
    ...(row.digest === null ? {} : { digest: row.digest }),
  };
}
