/** The Kubernetes API over HTTP: authentication, and the way of each path to its handler. */
import type { IncomingMessage } from "node:http";
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import type { AccessPort } from "#api";
import { clientGone, type Clock, type Log } from "#lib";
import type { EmbeddedCluster } from "../../client/embedded-cluster.ts";
import { KubeError } from "../../client/kube-error.ts";
import type { PodLogPort, PodStreamPort, UsagePort } from "../../ports.ts";
import { Authenticator } from "../authentication/authenticator.ts";
import { impersonate, impersonationHeaders } from "../authentication/impersonation.ts";
import { requirePath } from "../authorization/require.ts";
import { accountIssuer } from "../service-accounts/account-tokens.ts";
import { answerResource, noSuchPath } from "../verbs/dispatch.ts";
import { type Answer, ok, send } from "./answer.ts";
import { Documents } from "./documents.ts";
import type { KubeFace, KubeRequest } from "./kube-request.ts";
import { maxBodyBytes } from "./request-body.ts";
import { parseRequestPath, type RequestPath } from "./request-path.ts";
import { statusBody, toKubeError } from "./status-body.ts";
import { acceptUpgrades } from "./upgrades.ts";

export interface KubeRoutesOptions {
  readonly cluster: EmbeddedCluster;
  readonly access: AccessPort;
  readonly logs: PodLogPort;
  readonly streams: PodStreamPort;
  /** What nodes and pods use; without it `kubectl top` finds nothing. */
  readonly usage?: UsagePort;
  readonly clock: Clock;
  readonly log: Log;
  /** Of Tidegate; `/version` shows it behind the Kubernetes version served. */
  readonly version: string;
  /** Where clients reach this API, for the documents that name it. */
  readonly url?: () => string;
}

/** What clients take for the version of Kubernetes; kubectl warns when it differs from its own by more than one minor. */
const kubernetesVersion = { major: "1", minor: "33", patch: "0" } as const;

/** To be registered with a prefix (`/kube`), which kubeconfig files name as part of the server's URL. */
export function kubeRoutes(options: KubeRoutesOptions): FastifyPluginAsync {
  return async (app) => {
    const { cluster, access, logs, streams, usage, clock, log, version, url: ownUrl = () => "" } = options;
    const { objects, authorizer, accounts } = cluster;
    const authenticator = new Authenticator(access, accounts);
    const face: KubeFace = { objects, logs, streams, usage, authenticator, authorizer, accounts, clock, log, version };
    const documents = new Documents(cluster.objects.kinds, version);
    const closing = new AbortController();
    app.addHook("preClose", async () => {
      closing.abort();
      await Promise.resolve();
    });
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: maxBodyBytes }, (_request, body, done) => {
      done(null, body);
    });
    app.setErrorHandler(async (error, request, reply) => {
      const refusal = toKubeError(error);
      if (refusal.reason === "InternalError") log.error("Kubernetes API request failed", { url: request.url, error });
      return await refuse(reply, refusal);
    });
    const prefix = app.prefix;

    async function answer(raw: IncomingMessage, body: unknown, gone: AbortSignal): Promise<Answer> {
      const url = new URL(raw.url ?? "/", "http://localhost");
      const path = parseRequestPath(url.pathname.slice(prefix.length));
      if (path.kind === "health") return { kind: "text", text: "ok", contentType: "text/plain" };
      const headers = raw.headers as Readonly<Record<string, string | undefined>>;
      const asker = await authenticator.authenticate(headers);
      const user = impersonate(authorizer, asker, impersonationHeaders(raw.rawHeaders));
      let signal: AbortSignal | undefined;
      const kubeRequest: KubeRequest = {
        method: raw.method ?? "GET",
        path: url.pathname.slice(prefix.length),
        query: url.searchParams,
        headers,
        body: Buffer.isBuffer(body) ? body : new Uint8Array(),
        user,
        // Made only for what waits: most requests are answered before anybody could ask.
        get signal() {
          return (signal ??= AbortSignal.any([gone, closing.signal]));
        },
      };
      return await route({ face, documents, url: ownUrl }, kubeRequest, path);
    }

    async function handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
      const answered = await answer(request.raw, request.body, clientGone(reply.raw));
      try {
        return await send(reply, answered);
      } catch (error) {
        if (!reply.raw.headersSent) throw error;
        log.error("Kubernetes API stream failed", { path: request.url, error });
        return reply;
      }
    }

    const opened = acceptUpgrades(app.server, {
      prefix,
      answer: (request, gone) => answer(request, undefined, gone),
      closing: closing.signal,
      log,
    });
    // Commands are ended with their streams: not one is left to the next start.
    app.addHook("onClose", () => opened[Symbol.asyncDispose]());

    const method = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    app.route({ method, url: "/", handler: handle });
    app.route({ method, url: "/*", handler: handle });
    await Promise.resolve();
  };
}

async function route(
  { face, documents, url }: { readonly face: KubeFace; readonly documents: Documents; readonly url: () => string },
  request: KubeRequest,
  path: RequestPath,
): Promise<Answer> {
  if (path.kind === "resource") return await answerResource(face, request, path);
  requirePath(face.authorizer, request);
  if (request.method !== "GET") throw noSuchPath();
  switch (path.kind) {
    case "root":
      return ok({ paths: rootPaths });
    case "issuer":
      return ok(issuerDocument(url()));
    case "issuer-keys":
      return { kind: "body", code: 200, body: await face.accounts.keySet(), contentType: "application/jwk-set+json" };
    case "version":
      return ok(versionBody(face.version));
    case "api":
      return documents.root(true, request.headers["accept"]);
    case "apis":
      return documents.root(false, request.headers["accept"]);
    case "group":
      return documents.group(path.group);
    case "group-version":
      return documents.groupVersion(path.group, path.version);
    case "openapi-v3":
      return documents.openApiIndex();
    case "openapi-group":
      return documents.openApiGroup(path.group, path.version);
    case "openapi-v2":
      // An empty body is a valid empty message of the only form clients ask for; kubectl then says "no matches for
      // kind" instead of "failed to download openapi".
      return { kind: "text", text: "", contentType: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf" };
    case "health":
    case "unknown":
      throw noSuchPath();
  }
}

const rootPaths = (
  "/.well-known/openid-configuration /api /api/v1 /apis /healthz /livez /openapi/v2 /openapi/v3 /openid/v1/jwks " +
  "/readyz /version"
).split(" ");

/** OpenID Connect Discovery 1.0, as far as a verifier of service accounts' tokens needs it. */
function issuerDocument(url: string): Record<string, unknown> {
  return {
    issuer: accountIssuer,
    jwks_uri: `${url}/openid/v1/jwks`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
  };
}

function versionBody(version: string): Record<string, string> {
  const { major, minor, patch } = kubernetesVersion;
  return {
    major,
    minor,
    gitVersion: `v${major}.${minor}.${patch}+tidegate-${version}`,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "none",
    compiler: "none",
    platform: `${process.platform}/${process.arch}`,
  };
}

async function refuse(reply: FastifyReply, refusal: KubeError): Promise<FastifyReply> {
  const { retryAfterSeconds } = refusal.details ?? {};
  if (retryAfterSeconds !== undefined) void reply.header("retry-after", String(retryAfterSeconds));
  return await send(reply, { kind: "body", code: refusal.httpCode, body: statusBody(refusal) });
}
