/**
 * Where GitHub, Forgejo and Gitea tell what happened in a repository that is mirrored here: `/api/tidegate/hooks/<owner>/
 * <name>`. No token opens this; the signature over the body does. It is answered once the delivery is on disk.
 */
import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { bearsSignature, deliveryHead, type Forge, isSigned } from "#forge";
import type { Repositories, Repository } from "#git";
import type { Log } from "#lib";
import type { SecretsRoom } from "#secrets";
import { webhookSecretName, type RemoteMirrors } from "../wiring/remote-mirrors.ts";
import { answerFailure, ApiError, badRequest, notFound } from "./api-error.ts";

export interface WebhookRoutesOptions {
  readonly forge: Forge;
  readonly repositories: Repositories;
  readonly secrets: Pick<SecretsRoom, "secrets">;
  readonly remoteMirrors: Pick<RemoteMirrors, "arrived">;
  readonly log: Log;
}

type Named = { Params: { owner: string; name: string } };

/** GitHub cuts off at this, too. */
const maxBodyBytes = 25 * 1024 * 1024;

export function webhookRoutes(options: WebhookRoutesOptions): FastifyPluginAsync {
  const { forge, repositories, secrets, remoteMirrors, log } = options;
  const asked = new WeakMap<FastifyRequest, Repository>();
  return async (app) => {
    app.setErrorHandler((error, request, reply) => answerFailure(error, request, reply, log));
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: maxBodyBytes }, (_request, body, done) =>
      done(null, body),
    );
    app.addHook<Named>("onRequest", async (request) => {
      const repository = await repositories.get(`${request.params.owner}/${request.params.name}`);
      const remote = repository === undefined ? undefined : await forge.remotes.get(repository.id);
      // The same answer, whether it is no mirror or not there.
      if (repository === undefined || remote === undefined) throw notFound("mirror of this name");
      // Before the body is read, which may be large.
      if (!bearsSignature(request.headers)) throw unsigned();
      asked.set(request, repository);
    });
    app.post<Named & { Body: Buffer }>("/:owner/:name", async (request, reply) => {
      const repository = asked.get(request);
      if (repository === undefined) throw notFound("mirror of this name");
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const values = await secrets.secrets.valuesOf({ kind: "mirror", repository: repository.name });
      if (!isSigned(request.headers, body, values[webhookSecretName] ?? "")) throw unsigned();
      const head = deliveryHead(request.headers);
      if (head === undefined) throw badRequest("This is no webhook of GitHub, Forgejo or Gitea: it names no event");
      const text = bodyText(body, request.headers["content-type"]);
      const fresh = await forge.remotes.take(repository.id, head, text);
      if (fresh) await remoteMirrors.arrived(repository.id);
      return await reply.code(202).send({ delivery: head.id, event: head.event, taken: fresh });
    });
    await Promise.resolve();
  };
}

function unsigned(): ApiError {
  return new ApiError("api/unauthorized", "The signature is missing, or not that of this webhook's secret");
}

/** As JSON, or as a form with the JSON in it, which GitHub sends when nobody chose. */
function bodyText(body: Buffer, type: string | undefined): string {
  const text = body.toString("utf8");
  const json = /x-www-form-urlencoded/.test(type ?? "") ? (new URLSearchParams(text).get("payload") ?? "") : text;
  try {
    JSON.parse(json);
  } catch {
    throw badRequest("The body of the webhook is not JSON");
  }
  return json;
}
