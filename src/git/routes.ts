/** Smart HTTP (gitprotocol-http(5)) at `/:owner/:repo[.git]`. */
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { permits, type AccessPort, type Identity, type Verb } from "#api";
import { clientGone, errorCode, type Log } from "#lib";
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { GitError } from "./errors.ts";
import type { PushCheckPort } from "./ports.ts";
import { receivePack } from "./receive-pack.ts";
import type { Repositories } from "./repositories.ts";
import type { Repository } from "./repository.ts";
import { advertise, services, uploadPack, type Service, type ServeOptions } from "./upload-pack.ts";

export interface GitRoutesOptions {
  readonly repositories: Repositories;
  readonly access: AccessPort;
  readonly checks: PushCheckPort;
  readonly log: Log;
  /** Most bytes of one push; default 2 GiB. */
  readonly maxPushBytes?: number;
}

interface Entrance {
  readonly identity: Identity;
  readonly repository: Repository;
}

type Params = { readonly owner: string; readonly repo: string };

/** Wants and haves of a fetch, inflated: about 200,000 lines. */
const maxFetchRequestBytes = 10 * 1024 * 1024;

export function gitRoutes(options: GitRoutesOptions): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    app.get<{ Params: Params; Querystring: { service?: string } }>("/:owner/:repo/info/refs", (request, reply) =>
      infoRefs(options, request, request.params, request.query.service, reply),
    );
    app.post<{ Params: Params }>("/:owner/:repo/git-upload-pack", (request, reply) =>
      upload(options, request, request.params, reply),
    );
    app.post<{ Params: Params }>("/:owner/:repo/git-receive-pack", (request, reply) =>
      receive(options, request, request.params, reply),
    );
    await Promise.resolve();
  };
}

async function infoRefs(
  options: GitRoutesOptions,
  request: FastifyRequest,
  params: Params,
  name: string | undefined,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const service = services.find((service) => service === name);
  if (service === undefined) {
    return await refuse(reply, 403, "Only smart HTTP is served here: use git 1.6.6 or later");
  }
  const entrance = await enter(options, request, params, verbOf(service), reply);
  if (entrance === undefined) return reply;
  return await stream(options, reply, `application/x-${service}-advertisement`, (signal) =>
    advertise(service, serveOptions(options, entrance.repository, request, signal)),
  );
}

async function upload(
  options: GitRoutesOptions,
  request: FastifyRequest,
  params: Params,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const entrance = await enter(options, request, params, "read", reply);
  if (entrance === undefined) return reply;
  const body = bodyOf(request, maxFetchRequestBytes);
  return await stream(options, reply, "application/x-git-upload-pack-result", (signal) =>
    uploadPack(body, serveOptions(options, entrance.repository, request, signal)),
  );
}

async function receive(
  options: GitRoutesOptions,
  request: FastifyRequest,
  params: Params,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const entrance = await enter(options, request, params, "write", reply);
  if (entrance === undefined) return reply;
  const { repositories, checks, log } = options;
  const { id, name } = entrance.repository;
  const maxBytes = options.maxPushBytes ?? 2 * 1024 ** 3;
  const protections = await repositories.protections(name);
  const { host, ledger, ids } = repositories;
  return await stream(options, reply, "application/x-git-receive-pack-result", (signal) =>
    receivePack(bodyOf(request, Number.POSITIVE_INFINITY), {
      host,
      ledger,
      ids,
      log,
      checks,
      repository: { id, name, folder: repositories.folderOf(id) },
      protections,
      pusher: entrance.identity,
      maxBytes,
      signal,
    }),
  );
}

/** Who asks and for what; undefined when the refusal has been sent. */
async function enter(
  { repositories, access }: GitRoutesOptions,
  request: FastifyRequest,
  params: Params,
  verb: Verb,
  reply: FastifyReply,
): Promise<Entrance | undefined> {
  const identity = await access.authenticate(request.headers.authorization);
  if (identity === undefined) {
    void reply.header("www-authenticate", 'Basic realm="tidegate", charset="UTF-8"');
    await refuse(reply, 401, "A token is needed: give it as the password, with any user name");
    return undefined;
  }
  const name = `${params.owner}/${params.repo.replace(/\.git$/, "")}`;
  const repository = await repositories.get(name);
  // The same answer for "is not there" and "is not for you", so that names cannot be guessed.
  if (repository === undefined || !permits(identity, "git", "read", repository.name)) {
    await refuse(reply, 404, `Cannot find repository "${name}": it does not exist, or the token does not reach it`);
    return undefined;
  }
  if (!permits(identity, "git", verb, repository.name)) {
    await refuse(reply, 403, `Cannot push to "${name}": the token may only read; use one with git:write`);
    return undefined;
  }
  return { identity, repository };
}

async function refuse(reply: FastifyReply, status: number, message: string): Promise<FastifyReply> {
  return await reply.code(status).type("text/plain; charset=utf-8").send(`${message}\n`);
}

function verbOf(service: Service): Verb {
  return service === "git-receive-pack" ? "write" : "read";
}

function serveOptions(
  { repositories }: GitRoutesOptions,
  repository: Repository,
  request: FastifyRequest,
  signal: AbortSignal,
): ServeOptions {
  const header = request.headers["git-protocol"];
  const protocol = typeof header === "string" ? header : undefined;
  return { host: repositories.host, folder: repositories.folderOf(repository.id), protocol, signal };
}

/** The request body, inflated where it was deflated, and no longer than `maxBytes` either way. */
async function* bodyOf(request: FastifyRequest, maxBytes: number): AsyncGenerator<Buffer, void, undefined> {
  const zipped = /\bgzip\b/.test(request.headers["content-encoding"] ?? "");
  const source: Readable = zipped ? request.raw.pipe(createGunzip()) : request.raw;
  // Errors of the socket do not travel through a pipe.
  if (zipped) request.raw.on("error", (error) => source.destroy(error));
  let size = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new GitError("git/too-large", `Cannot read the request: it is over ${maxBytes} bytes`);
    yield chunk;
  }
}

/** Sends what `produce` yields. Its signal aborts when the client leaves or the server closes. */
async function stream(
  { repositories, log }: GitRoutesOptions,
  reply: FastifyReply,
  type: string,
  produce: (signal: AbortSignal) => AsyncGenerator<Buffer, void, undefined>,
): Promise<FastifyReply> {
  const signal = AbortSignal.any([clientGone(reply.raw), repositories.tasks.signal]);
  const chunks = produce(signal);
  let first: IteratorResult<Buffer, void>;
  try {
    // Until the first bytes there can still be an honest status code.
    first = await chunks.next();
  } catch (error) {
    return await refuseFor(error, reply, log);
  }
  void reply.type(type).header("cache-control", "no-cache");
  if (first.done === true) return await reply.send(Buffer.alloc(0));
  return await reply.send(Readable.from(prepend(first.value, chunks), { objectMode: false }));
}

async function* prepend(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  yield first;
  yield* rest;
}

async function refuseFor(error: unknown, reply: FastifyReply, log: Log): Promise<FastifyReply> {
  if (error instanceof GitError) return await refuse(reply, error.code === "git/too-large" ? 413 : 400, error.message);
  if (errorCode(error)?.startsWith("Z_") === true) {
    return await refuse(reply, 400, "Cannot read the request: its body is not gzip, though it says so");
  }
  log.error("Cannot serve a git request", { error });
  return await refuse(reply, 500, "Cannot serve the request: see the server's log");
}
