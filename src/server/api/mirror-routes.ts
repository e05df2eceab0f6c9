/** Repositories that mirror one elsewhere: make one, look how it is, fetch now, let it be one's own again. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { MirrorView } from "#api";
import type { Forge, RemoteKind } from "#forge";
import type { Repositories, Repository } from "#git";
import type { Ids } from "#lib";
import type { SecretsRoom } from "#secrets";
import { isoTime } from "../rest/people.ts";
import { tokenName, webhookSecretName, type RemoteMirrors } from "../wiring/remote-mirrors.ts";
import { ApiError, badRequest, notFound } from "./api-error.ts";
import { isReservedOwner } from "./reserved-owners.ts";
import { identityOf } from "./session.ts";

export interface MirrorRoutesOptions {
  readonly forge: Forge;
  readonly repositories: Repositories;
  readonly secrets: SecretsRoom;
  readonly remoteMirrors: RemoteMirrors;
  readonly ids: Ids;
  readonly signal: AbortSignal;
  readonly controlUrl: () => string;
}

type Named = { Params: { owner: string; name: string } };
const path = "/repositories/:owner/:name/mirror";
const kinds: readonly RemoteKind[] = ["github", "forgejo", "gitea"];

export function mirrorRoutes(app: FastifyInstance, options: MirrorRoutesOptions): void {
  const { forge, repositories, secrets, remoteMirrors, signal } = options;
  app.put<Named & { Body: Readonly<Record<string, unknown>> | null }>(path, async (request, reply) => {
    // What is fetched, and with which token, is the operator's word.
    requireAdmin(request);
    const { url, kind, apiUrl, token, defaultBranch } = request.body ?? {};
    if (typeof url !== "string") throw badRequest('A mirror needs a URL: {"url": "https://github.com/acme/shop"}');
    const known = kinds.find((one) => one === kind);
    if (kind !== undefined && known === undefined) throw badRequest(`A remote is one of ${kinds.join(", ")}`);
    const name = `${request.params.owner}/${request.params.name}`;
    if (isReservedOwner(request.params.owner)) throw badRequest(`"${request.params.owner}" cannot own repositories`);
    const branch = typeof defaultBranch === "string" ? { defaultBranch } : {};
    const repository = (await repositories.get(name)) ?? (await repositories.create(name, branch));
    const remote = { url, kind: known, apiUrl: typeof apiUrl === "string" ? apiUrl : undefined };
    const scope = { kind: "mirror", repository: repository.name } as const;
    const webhookSecret = options.ids.secret();
    await forge.remotes.set(repository.id, remote);
    await secrets.secrets.set(scope, webhookSecretName, webhookSecret);
    if (typeof token === "string" && token !== "") await secrets.secrets.set(scope, tokenName, token);
    await remoteMirrors.fetch(repository, identityOf(request).name, signal);
    return await reply.code(201).send({ ...(await view(options, repository)), webhookSecret });
  });
  app.get<Named>(path, async ({ params }) => await view(options, await repositories.require(nameOf(params))));
  app.post<Named>(`${path}/fetch`, async (request) => {
    const repository = await repositories.require(nameOf(request.params));
    await view(options, repository);
    const moved = await remoteMirrors.fetch(repository, identityOf(request).name, signal);
    return { moved };
  });
  app.delete<Named>(path, async (request) => {
    requireAdmin(request);
    const repository = await repositories.require(nameOf(request.params));
    if (!(await forge.remotes.remove(repository.id))) throw notFound(`mirror "${repository.name}"`);
    for (const name of [tokenName, webhookSecretName]) {
      await secrets.secrets.delete({ kind: "mirror", repository: repository.name }, name).catch(() => {});
    }
    return {};
  });
}

function nameOf({ owner, name }: Named["Params"]): string {
  return `${owner}/${name}`;
}

function requireAdmin(request: FastifyRequest): void {
  if (identityOf(request).scopes.includes("admin")) return;
  throw new ApiError("api/forbidden", "Only an admin token may say what a repository mirrors");
}

async function view({ forge, secrets, controlUrl }: MirrorRoutesOptions, repository: Repository): Promise<MirrorView> {
  const remote = await forge.remotes.get(repository.id);
  if (remote === undefined) throw notFound(`mirror "${repository.name}"`);
  const waiting = await forge.outbox.waiting(repository.id);
  const problem = remote.problem ?? waiting.find((one) => one.problem !== null)?.problem;
  const names = (await secrets.secrets.list({ kind: "mirror", repository: repository.name })).map((one) => one.name);
  return {
    repository: repository.name,
    kind: remote.kind,
    url: remote.url,
    apiUrl: remote.apiUrl,
    webhookUrl: `${controlUrl()}/api/tidegate/hooks/${repository.name}`,
    hasToken: names.includes(tokenName),
    statusesWaiting: waiting.length,
    ...(remote.fetchedAt === null ? {} : { fetchedAt: isoTime(remote.fetchedAt) }),
    ...(problem === undefined || problem === null ? {} : { problem }),
  };
}
