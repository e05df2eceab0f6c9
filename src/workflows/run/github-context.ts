/** The `github` context of a run, all but what only a job or its runner knows. */
import type { ContextObject } from "../protocol.ts";
import type { RepositoryFacts, ServicesPort } from "../ports.ts";
import { field, personId, refName, text } from "./event.ts";
import type { RunRow } from "./schema.ts";

export type GithubContextRow = Pick<
  RunRow,
  | "repository"
  | "ref"
  | "sha"
  | "actor"
  | "triggering_actor"
  | "event_name"
  | "name"
  | "path"
  | "number"
  | "attempt"
  | "payload_json"
  | "repository_json"
> & { readonly id: number };

export function githubContext(run: GithubContextRow, urls: ServicesPort["base"]): ContextObject {
  const event = JSON.parse(run.payload_json) as ContextObject;
  const facts = JSON.parse(run.repository_json) as RepositoryFacts;
  const owner = run.repository.split("/")[0] ?? "";
  const pull = field(event, "pull_request");
  return {
    actor: run.actor,
    actor_id: String(personId(run.actor)),
    api_url: urls.apiUrl,
    base_ref: text(field(pull, "base"), "ref") ?? "",
    event,
    event_name: run.event_name,
    graphql_url: urls.graphqlUrl,
    head_ref: text(field(pull, "head"), "ref") ?? "",
    ref: run.ref,
    ref_name: refName(run.ref),
    ref_protected: run.ref === `refs/heads/${facts.defaultBranch}`,
    ref_type: run.ref.startsWith("refs/tags/") ? "tag" : "branch",
    repository: run.repository,
    repository_id: String(facts.id),
    repository_owner: owner,
    repository_owner_id: String(personId(owner)),
    repository_visibility: facts.private ? "private" : "public",
    repositoryUrl: `git:${urls.serverUrl.replace(/^https?:/, "")}/${run.repository}.git`,
    retention_days: "90",
    run_attempt: String(run.attempt),
    run_id: String(run.id),
    run_number: String(run.number),
    secret_source: "Actions",
    server_url: urls.serverUrl,
    sha: run.sha,
    triggering_actor: run.triggering_actor,
    workflow: run.name,
    workflow_ref: `${run.repository}/${run.path}@${run.ref}`,
    workflow_sha: run.sha,
  };
}
