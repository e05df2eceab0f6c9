/** What every route of the REST subset stands on: who asks, about which repository, and what they may do there. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Area, type Identity, isJobName, permits, type Verb } from "#api";
import type { ArtifactService } from "#artifacts";
import type { Tokens } from "#auth";
import type { Forge } from "#forge";
import type { Repositories, Repository, Workshop } from "#git";
import { clientGone, type Clock, type Ids, type Log, sha256Hex } from "#lib";
import type { SecretsRoom } from "#secrets";
import type { Workflows } from "#workflows";
import type { CommitChecks } from "../wiring/commit-checks.ts";

import { notFound, RestError } from "./rest-error.ts";

export interface RestParts {
  readonly repositories: Repositories;
  readonly forge: Forge;
  readonly workflows: Workflows;
  readonly secrets: Pick<SecretsRoom, "forgetEnvironment" | "secrets" | "variables">;
  readonly commitChecks: CommitChecks;
  readonly artifacts: ArtifactService;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Where people reach this server: `http://127.0.0.1:7070`, or what is in front of it. */
  readonly serverUrl: () => string;
  /** Where whoever asks now reaches it: jobs know it by another address than people. */
  readonly apiServer: () => string;
  readonly publicUrl: string | undefined;
}

/** Areas of GitHub's permissions, which a workflow names under `permissions`. */
export type RestArea =
  | "actions"
  | "checks"
  | "contents"
  | "deployments"
  | "issues"
  | "metadata"
  | "pull-requests"
  | "statuses";

export type Named = { Params: { owner: string; repo: string } };
export type Numbered = { Params: { owner: string; repo: string; number: string } };

const identities = new WeakMap<FastifyRequest, Identity>();

export function whoAsks(request: FastifyRequest): Identity {
  const identity = identities.get(request);
  if (identity === undefined) throw new RestError("rest/unauthorized", "Requires authentication");
  return identity;
}

/** Nothing answers without a token, and nothing says that it is there to a token that does not reach it. */
export function requireToken(app: FastifyInstance, tokens: Tokens): void {
  app.addHook("onRequest", async (request) => {
    const identity = await tokens.authenticate(request.headers.authorization);
    if (identity !== undefined) {
      identities.set(request, identity);
      return;
    }
    const given = request.headers.authorization !== undefined;
    throw new RestError("rest/unauthorized", given ? "Bad credentials" : "Requires authentication");
  });
}

/** The repository of the path, for somebody who may do that there. */
export async function reach(
  parts: Pick<RestParts, "repositories">,
  request: FastifyRequest,
  area: RestArea,
  verb: Verb = "read",
): Promise<Repository> {
  const { owner = "", repo = "" } = request.params as { owner?: string; repo?: string };
  const repository = await parts.repositories.get(`${owner}/${repo.replace(/\.git$/, "")}`);
  const identity = whoAsks(request);
  if (repository === undefined || !knows(identity, repository.name)) throw notFound();
  if (!allows(identity, area, verb, repository.name)) throw forbidden(identity);
  return repository;
}

export function forbidden(identity: Identity): RestError {
  const who = isJob(identity) ? "integration" : "personal access token";
  return new RestError("rest/forbidden", `Resource not accessible by ${who}`);
}

export function isJob(identity: Identity): boolean {
  return isJobName(identity.name);
}

/** Whether the identity may know that the repository is there. */
export function knows(identity: Identity, repository: string): boolean {
  return wholeApi(identity, "read") || identity.scopes.some((scope) => reaches(scope, repository));
}

export function allows(identity: Identity, area: RestArea, verb: Verb, repository: string): boolean {
  if (wholeApi(identity, verb)) return true;
  if (area === "metadata") return verb === "read" && knows(identity, repository);
  return permits(identity, area === "contents" ? "git" : (area satisfies Area), verb, repository);
}

/** Scopes for one repository are about their area only. */
export function wholeApi(identity: Identity, verb: Verb): boolean {
  const whole = identity.scopes.filter((scope) => scope.split(":").length < 3);
  return permits({ ...identity, scopes: whole }, "api", verb);
}

function reaches(scope: string, repository: string): boolean {
  const [area, , resource] = scope.split(":");
  if (resource !== undefined) return resource === repository;
  return area === "git";
}

export async function workshopOf(parts: RestParts, repository: Repository, reply: FastifyReply): Promise<Workshop> {
  return await parts.repositories.workshop(repository.name, goneSignal(parts, reply));
}

/** Aborts when the client goes, or the server ends. */
export function goneSignal(parts: Pick<RestParts, "signal">, reply: FastifyReply): AbortSignal {
  return AbortSignal.any([clientGone(reply.raw), parts.signal]);
}

/** A weak tag over what is answered: a client that has it already is told so in a line. */
export function tagAnswers(app: FastifyInstance): void {
  app.addHook("onSend", async (request, reply, payload) => {
    await Promise.resolve();
    if (request.method !== "GET" || reply.statusCode !== 200 || typeof payload !== "string") return payload;
    const tag = `W/"${sha256Hex(payload)}"`;
    void reply.header("etag", tag).header("cache-control", "private, max-age=0");
    const known = request.headers["if-none-match"];
    if (known?.split(/\s*,\s*/).includes(tag) !== true) return payload;
    void reply.code(304).removeHeader("content-length");
    return null;
  });
}
