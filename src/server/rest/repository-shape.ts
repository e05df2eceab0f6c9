/** A repository as GitHub shows it. */
import type { Identity } from "#api";
import type { Repository } from "#git";
import { fnv1a32 } from "#lib";
import { allows } from "./face.ts";
import { nodeId, userShape } from "./people.ts";

function repositoryId(repository: Pick<Repository, "id">): number {
  return fnv1a32(repository.id);
}

export type RepositoryShape = ReturnType<typeof repositoryShape>;

/** `fork`: whether it was made from another one. */
export function repositoryShape(repository: Repository, serverUrl: string, fork = false) {
  const [owner = "", name = ""] = repository.name.split("/");
  const url = `${serverUrl}/api/v3/repos/${repository.name}`;
  const html = `${serverUrl}/${repository.name}`;
  const id = repositoryId(repository);
  return {
    id,
    node_id: nodeId("Repository", id),
    name,
    full_name: repository.name,
    private: true,
    visibility: "private",
    owner: userShape(owner, serverUrl),
    html_url: html,
    description: repository.description === "" ? null : repository.description,
    fork,
    url,
    archive_url: `${url}/{archive_format}{/ref}`,
    branches_url: `${url}/branches{/branch}`,
    commits_url: `${url}/commits{/sha}`,
    compare_url: `${url}/compare/{base}...{head}`,
    contents_url: `${url}/contents/{+path}`,
    git_refs_url: `${url}/git/refs{/sha}`,
    issues_url: `${url}/issues{/number}`,
    pulls_url: `${url}/pulls{/number}`,
    releases_url: `${url}/releases{/id}`,
    statuses_url: `${url}/statuses/{sha}`,
    clone_url: `${html}.git`,
    git_url: `${html}.git`,
    ssh_url: `${html}.git`,
    default_branch: repository.defaultBranch,
    archived: false,
    disabled: false,
    has_issues: true,
    has_projects: false,
    has_wiki: false,
    has_pages: false,
    has_downloads: true,
    is_template: false,
    topics: [] as string[],
    allow_merge_commit: true,
    allow_squash_merge: true,
    allow_rebase_merge: true,
    delete_branch_on_merge: false,
    created_at: repository.createdAt,
    updated_at: repository.createdAt,
  };
}

/** What whoever asks may do there. */
export function permissionsShape(identity: Identity, repository: Repository) {
  const push = allows(identity, "contents", "write", repository.name);
  const admin = identity.scopes.includes("admin");
  return { admin, maintain: admin, push, triage: push, pull: allows(identity, "contents", "read", repository.name) };
}
