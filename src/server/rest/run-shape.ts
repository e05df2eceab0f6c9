/** Runs and jobs of workflows as GitHub shows them. */
import type { ArtifactView } from "#artifacts";
import { fnv1a32 } from "#lib";
import type { JobView, RunView, WorkflowView } from "#workflows";
import { whole } from "./check-shape.ts";
import { apiUrl, type CommitPlace } from "./commit-shape.ts";
import { nodeId, userShape } from "./people.ts";
import type { RepositoryShape } from "./repository-shape.ts";

/** Workflows are known by their files; the number is made of the path, and always the same. */
export function workflowId(path: string): number {
  return fnv1a32(path);
}

export interface RunFacts {
  readonly run: RunView;
  /** The commit it is about: of a pull request its head. */
  readonly headSha: string;
  readonly headBranch: string | null;
  readonly suiteId: number;
  readonly repository: RepositoryShape;
}

export function runShape({ run, headSha, headBranch, suiteId, repository }: RunFacts, place: CommitPlace) {
  const url = `${apiUrl(place)}/actions/runs/${run.id}`;
  const workflow = workflowId(run.workflow.path);
  return {
    id: Number(run.id),
    name: run.workflow.name,
    node_id: nodeId("WorkflowRun", run.id),
    head_branch: headBranch,
    head_sha: headSha,
    path: run.workflow.path,
    display_title: run.title,
    run_number: run.number,
    run_attempt: run.attempt,
    event: run.event,
    status: run.status,
    conclusion: run.conclusion ?? null,
    workflow_id: workflow,
    check_suite_id: suiteId,
    url,
    html_url: `${place.serverUrl}/runs/${run.id}`,
    pull_requests: [] as unknown[],
    created_at: whole(run.createdAt),
    updated_at: whole(run.completedAt ?? run.startedAt ?? run.createdAt),
    run_started_at: whole(run.startedAt ?? run.createdAt),
    actor: userShape(run.actor, place.serverUrl),
    triggering_actor: userShape(run.triggeringActor, place.serverUrl),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    workflow_url: `${apiUrl(place)}/actions/workflows/${workflow}`,
    head_commit: { id: headSha, message: run.title, timestamp: whole(run.createdAt) },
    repository,
    head_repository: repository,
  };
}

export function jobShape(run: RunView, job: JobView, headSha: string, place: CommitPlace): unknown {
  const url = `${apiUrl(place)}/actions/jobs/${job.id}`;
  const status = job.status === "completed" || job.status === "in_progress" ? job.status : "queued";
  return {
    id: Number(job.id),
    run_id: Number(run.id),
    run_url: `${apiUrl(place)}/actions/runs/${run.id}`,
    run_attempt: job.attempt,
    node_id: nodeId("Job", job.id),
    head_sha: headSha,
    head_branch: run.ref.replace(/^refs\/(?:heads|tags)\//, ""),
    workflow_name: run.workflow.name,
    name: job.name,
    url,
    html_url: `${place.serverUrl}/runs/${run.id}?job=${job.id}`,
    check_run_url: `${apiUrl(place)}/check-runs/${job.id}`,
    status,
    conclusion: job.conclusion ?? null,
    created_at: whole(job.queuedAt ?? run.createdAt),
    started_at: whole(job.startedAt ?? job.queuedAt ?? run.createdAt),
    completed_at: job.completedAt === undefined ? null : whole(job.completedAt),
    labels: job.labels,
    runner_id: job.runnerName === undefined ? null : fnv1a32(job.runnerName),
    runner_name: job.runnerName ?? null,
    runner_group_id: null,
    runner_group_name: null,
    steps: job.steps.map((step, index) => ({
      name: step.name,
      status: step.status,
      conclusion: step.conclusion ?? null,
      number: index + 1,
      started_at: step.startedAt === undefined ? null : whole(step.startedAt),
      completed_at: step.completedAt === undefined ? null : whole(step.completedAt),
    })),
  };
}

export function workflowShape(workflow: WorkflowView, branch: string, createdAt: string, place: CommitPlace): unknown {
  const id = workflowId(workflow.path);
  return {
    id,
    node_id: nodeId("Workflow", id),
    name: workflow.name,
    path: workflow.path,
    state: workflow.enabled ? "active" : "disabled_manually",
    created_at: createdAt,
    updated_at: createdAt,
    url: `${apiUrl(place)}/actions/workflows/${id}`,
    html_url: `${place.serverUrl}/${place.repository}/blob/${branch}/${workflow.path}`,
    badge_url: `${place.serverUrl}/${place.repository}/workflows/${encodeURIComponent(workflow.name)}/badge.svg`,
  };
}

export function artifactShape(artifact: ArtifactView, run: RunView | undefined, headSha: string, place: CommitPlace) {
  const url = `${apiUrl(place)}/actions/artifacts/${artifact.id}`;
  return {
    id: artifact.id,
    node_id: nodeId("Artifact", artifact.id),
    name: artifact.name,
    size_in_bytes: artifact.sizeInBytes,
    url,
    archive_download_url: `${url}/zip`,
    expired: false,
    digest: artifact.digest,
    created_at: whole(artifact.createdAt),
    updated_at: whole(artifact.createdAt),
    expires_at: whole(artifact.expiresAt),
    workflow_run:
      run === undefined
        ? null
        : { id: Number(run.id), head_branch: run.ref.replace(/^refs\/(?:heads|tags)\//, ""), head_sha: headSha },
  };
}
