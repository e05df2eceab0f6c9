import type { Forge } from "#forge";
import type { Repositories, Repository } from "#git";
import { badRequest } from "../api/api-error.ts";
import { isReservedOwner } from "../api/reserved-owners.ts";

interface ForkParts {
  readonly repositories: Repositories;
  readonly forge: Forge;
  readonly signal: AbortSignal;
}

/** A repository of its own with the branches and tags of another. Telling it twice finishes what was begun. */
export async function forkRepository(
  { repositories, forge, signal }: ForkParts,
  parent: Repository,
  name: string,
  pusher: string,
): Promise<Repository> {
  const owner = name.split("/")[0] ?? "";
  if (isReservedOwner(owner)) throw badRequest(`"${owner}" cannot own repositories: it is an address of the server`);
  const there = await repositories.get(name);
  if (there !== undefined && (await forge.pulls.forks.parentId(there.id)) !== parent.id) {
    throw badRequest(`There is a repository "${name}" already, and it is no fork of "${parent.name}"`);
  }
  const { defaultBranch, description } = parent;
  const fork = there ?? (await repositories.create(name, { defaultBranch, description }));
  await forge.pulls.forks.add(fork, parent);
  const refs = [...(await repositories.refs(parent.name))].filter(([ref]) => /^refs\/(?:heads|tags)\//.test(ref));
  const known = await repositories.refs(fork.name);
  const missing = refs.filter(([ref]) => !known.has(ref));
  await repositories.bring(
    fork.name,
    parent.name,
    missing.map(([, sha]) => sha),
    signal,
  );
  for (const [ref, after] of missing) {
    await repositories.moveRef(fork.name, { ref, before: "0".repeat(40), after, pusher });
  }
  return fork;
}
