/** Where actions come from: the repositories of this server, commits kept of other hosts, what runners bring themselves. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { LearntRef, ObjectReader, RemoteCommits, Repositories } from "#git";
import { errorMessage, readFileIfExists } from "#lib";
import { isBuiltIn } from "#runner";
import type { ActionHost, ActionRepository, ActionSourcePort, NamedCommit } from "#workflows";

export interface ActionSourceOptions {
  readonly repositories: Repositories;
  readonly remotes: RemoteCommits;
  /** The installation's policy. */
  readonly policyFile: string;
}

export function actionSources({ repositories, remotes, policyFile }: ActionSourceOptions): ActionSourcePort {
  return {
    async policy() {
      const text = await readFileIfExists(policyFile);
      return text === undefined ? undefined : { file: basename(policyFile), text };
    },
    async local(name) {
      const found = await repositories.get(name);
      return found === undefined ? undefined : localRepository(repositories, found.name);
    },
    remote: (host, repository) => remoteRepository(remotes, host, repository),
    async kept() {
      const found = await remotes.list();
      return found.map(({ url, refs }) => ({
        url,
        refs: [...refs].map(([ref, { kind, sha, learntAt }]) => ({ ref, kind, sha, learntAt })),
      }));
    },
    hasBuiltIn: (repository, path) => isBuiltIn(path === "" ? repository : `${repository}/${path}`),
  };
}

function localRepository(repositories: Repositories, name: string): ActionRepository {
  const resolve = async (ref: string, signal: AbortSignal): Promise<NamedCommit | undefined> =>
    await namedCommit(await repositories.reader(name, signal), ref);
  const holds: ActionRepository["holds"] = async (sha, { signal }) =>
    (await (await repositories.reader(name, signal)).resolve(sha)) === sha;
  return {
    name,
    known: (ref, { signal }) => resolve(ref, signal),
    resolve: (ref, { signal }) => resolve(ref, signal),
    holds,
    bring: holds,
    async readFile(sha, path, { signal }) {
      return (await (await repositories.reader(name, signal)).readFile(sha, path))?.toString("utf8");
    },
    async *archive(sha, { signal }) {
      yield* await repositories.archive(name, sha, signal);
    },
  };
}

/** As git has it where several fit: tags before branches. A short form of a commit is none: anybody can make one fit. */
async function namedCommit(reader: ObjectReader, text: string): Promise<NamedCommit | undefined> {
  const short = text.replace(/^refs\/(?:heads|tags)\//, "");
  const names = text.startsWith("refs/") ? [text] : [`refs/tags/${short}`, `refs/heads/${short}`];
  for (const ref of names) {
    const sha = await reader.resolve(ref);
    if (sha !== undefined) return { kind: ref.startsWith("refs/tags/") ? "tag" : "branch", ref, sha };
  }
  const commit = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(text) ? await reader.resolve(text) : undefined;
  return commit === undefined ? undefined : { kind: "commit", ref: commit, sha: commit };
}

function remoteRepository(remotes: RemoteCommits, host: ActionHost, name: string): ActionRepository {
  const url = `${host.url}/${name}`;
  const named = (learnt: LearntRef | undefined): NamedCommit | undefined =>
    learnt === undefined ? undefined : { kind: learnt.kind, ref: learnt.ref, sha: learnt.sha };
  const resolve: ActionRepository["resolve"] = async (ref, options) =>
    named(await remotes.resolve({ url, ...(await credentialsOf(host)) }, ref, options));
  return {
    name,
    known: async (ref) => named(await remotes.known(url, ref)),
    resolve,
    holds: (sha) => remotes.has(url, sha),
    bring: async (sha, options) => (await remotes.has(url, sha)) || (await resolve(sha, options)) !== undefined,
    async readFile(sha, path, { signal }) {
      return (await remotes.reader(url, sha, signal).readFile(sha, path))?.toString("utf8");
    },
    archive: (sha, { signal }) => remotes.archive(url, sha, signal),
  };
}

/** As GitHub, GitLab and Forgejo take tokens over HTTP: any name, the token for a password. */
async function credentialsOf({
  url,
  tokenFile,
}: ActionHost): Promise<{ readonly credentials?: { readonly username: string; readonly password: string } }> {
  if (tokenFile === undefined) return {};
  try {
    return { credentials: { username: "x-access-token", password: (await readFile(tokenFile, "utf8")).trim() } };
  } catch (cause) {
    throw new Error(`Cannot read the token for "${url}": ${errorMessage(cause)}`, { cause });
  }
}
