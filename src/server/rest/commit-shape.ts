/** Commits, files and differences as GitHub shows them. */
import type { FileDifference, Workshop } from "#git";
import { nodeId, userShape } from "./people.ts";

type Commit = Awaited<ReturnType<Workshop["log"]>>[number];

const unsigned = { verified: false, reason: "unsigned", signature: null, payload: null, verified_at: null };

export interface CommitPlace {
  /** Where people see it. */
  readonly serverUrl: string;
  /** Where whoever asks reaches the API; absent: the same. */
  readonly apiServer?: string;
  /** `owner/name`. */
  readonly repository: string;
}

export function apiUrl({ serverUrl, apiServer, repository }: CommitPlace): string {
  return `${apiServer ?? serverUrl}/api/v3/repos/${repository}`;
}

/** A commit of `/commits`. */
export function commitShape(commit: Commit, place: CommitPlace) {
  const url = apiUrl(place);
  const html = `${place.serverUrl}/${place.repository}`;
  return {
    sha: commit.sha,
    node_id: nodeId("Commit", commit.sha),
    commit: {
      author: signature(commit.author),
      committer: signature(commit.committer),
      message: commit.message,
      tree: { sha: commit.tree, url: `${url}/git/trees/${commit.tree}` },
      url: `${url}/git/commits/${commit.sha}`,
      comment_count: 0,
      verification: unsigned,
    },
    url: `${url}/commits/${commit.sha}`,
    html_url: `${html}/commit/${commit.sha}`,
    comments_url: `${url}/commits/${commit.sha}/comments`,
    author: userShape(commit.author.name, place.serverUrl),
    committer: userShape(commit.committer.name, place.serverUrl),
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${url}/commits/${sha}`,
      html_url: `${html}/commit/${sha}`,
    })),
  };
}

/** A commit of `/git/commits`: the object itself. */
export function gitCommitShape(commit: Commit, place: CommitPlace) {
  const url = apiUrl(place);
  const html = `${place.serverUrl}/${place.repository}/commit`;
  return {
    sha: commit.sha,
    node_id: nodeId("Commit", commit.sha),
    url: `${url}/git/commits/${commit.sha}`,
    html_url: `${html}/${commit.sha}`,
    author: signature(commit.author),
    committer: signature(commit.committer),
    message: commit.message,
    tree: { sha: commit.tree, url: `${url}/git/trees/${commit.tree}` },
    parents: commit.parents.map((sha) => ({ sha, url: `${url}/git/commits/${sha}`, html_url: `${html}/${sha}` })),
    verification: unsigned,
  };
}

/** GitHub shows times in UTC. */
function signature({ name, email, date }: Commit["author"]) {
  return { name, email, date: Temporal.Instant.from(date).toString({ smallestUnit: "second" }) };
}

/** A file of a commit, a comparison or a pull request; `ref` is the commit it is read at. */
export function fileShape(file: FileDifference, ref: string, place: CommitPlace) {
  const path = file.path.split("/").map(encodeURIComponent).join("/");
  return {
    sha: file.sha,
    filename: file.path,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${place.serverUrl}/${place.repository}/blob/${ref}/${path}`,
    raw_url: `${place.serverUrl}/${place.repository}/raw/${ref}/${path}`,
    contents_url: `${apiUrl(place)}/contents/${path}?ref=${ref}`,
    ...(file.from === undefined ? {} : { previous_filename: file.from }),
    ...(file.patch === undefined ? {} : { patch: file.patch }),
  };
}

/** GitHub lists this many files of a difference at most. */
export const maxFiles = 3000;
