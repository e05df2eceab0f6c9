/** What a run is to the workflows that follow it, in the shape of GitHub's webhook. Pure. */
import { fnv1a32 } from "#lib";
import type { ServicesPort } from "../ports.ts";
import type { ContextObject } from "../protocol.ts";
import { field, personId, refName, text } from "./event.ts";
import { headRepository } from "./head-repository.ts";
import type { RunRow } from "./schema.ts";
import { timestamp } from "./view.ts";

export type RunAction = "requested" | "in_progress" | "completed";

export function runPayload(
  run: RunRow,
  { action, attempt }: { readonly action: RunAction; readonly attempt: number },
  { serverUrl, apiUrl }: Pick<ServicesPort["base"], "serverUrl" | "apiUrl">,
): ContextObject {
  const event = JSON.parse(run.payload_json) as ContextObject;
  const completed = action === "completed" && run.attempt === attempt;
  const head = field(field(event, "pull_request"), "head");
  const sha = text(head, "sha") ?? run.sha;
  const url = `${apiUrl}/repos/${run.repository}/actions/runs/${run.id}`;
  return {
    action,
    workflow: { id: fnv1a32(run.path), name: run.name, path: run.path, state: "active" },
    workflow_run: {
      id: run.id,
      name: run.name,
      path: run.path,
      display_title: run.title,
      run_number: run.number,
      run_attempt: attempt,
      event: run.event_name,
      status: completed ? "completed" : action === "requested" ? "queued" : "in_progress",
      conclusion: completed ? run.conclusion : null,
      workflow_id: fnv1a32(run.path),
      head_branch: text(head, "ref") ?? refName(run.ref),
      head_sha: sha,
      head_commit: headCommit(run, event, sha),
      // By this, those who follow know that it was a stranger's code.
      head_repository: repositoryOf(headRepository(event, run.repository)),
      repository: repositoryOf(run.repository),
      actor: person(run.actor),
      triggering_actor: person(run.triggering_actor),
      created_at: timestamp(run.created_at),
      run_started_at: timestamp(run.started_at ?? run.created_at),
      updated_at: timestamp(run.completed_at ?? run.started_at ?? run.created_at),
      url,
      jobs_url: `${url}/jobs`,
      logs_url: `${url}/logs`,
      artifacts_url: `${url}/artifacts`,
      html_url: `${serverUrl}/runs/${run.id}`,
      pull_requests: pullRequests(run, event),
    },
  };
}

/** Of a push what the push said of it; else what is known of the commit: its id, and when it was run. */
function headCommit(run: RunRow, event: ContextObject, sha: string): ContextObject {
  const pushed = field(event, "head_commit");
  if (text(pushed, "id") === sha) return pushed ?? {};
  return { id: sha, message: run.title, timestamp: timestamp(run.created_at) };
}

/** As on GitHub, those of the repository itself and none of forks. */
function pullRequests(run: RunRow, event: ContextObject): readonly ContextObject[] {
  const pull = field(event, "pull_request");
  const number = pull?.["number"];
  if (pull === undefined || typeof number !== "number") return [];
  if (headRepository(event, run.repository) !== run.repository) return [];
  const side = (name: "head" | "base"): ContextObject => {
    const inner = field(pull, name);
    return { ref: text(inner, "ref") ?? null, sha: text(inner, "sha") ?? null, repo: repositoryOf(run.repository) };
  };
  return [{ id: pull["id"] ?? number, number, url: text(pull, "url") ?? null, head: side("head"), base: side("base") }];
}

function person(login: string): ContextObject {
  return { login, id: personId(login), type: "User" };
}

function repositoryOf(fullName: string): ContextObject {
  const [owner = "", name = ""] = fullName.split("/");
  return { full_name: fullName, name, owner: person(owner) };
}
