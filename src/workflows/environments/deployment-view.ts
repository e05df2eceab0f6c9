/** Deployments as people, programs and workflows see them. Pure. */
import type { DeploymentStatus, DeploymentSummary } from "#api";
import type { ContextObject } from "../protocol.ts";
import { personId } from "../run/event.ts";
import { timestamp } from "../run/view.ts";
import type { DeploymentRow, DeploymentStatusRow } from "./schema.ts";

/** All of a deployment, for whoever needs more than people do. */
export interface DeploymentDetail extends DeploymentSummary {
  readonly payload: ContextObject;
  readonly transient: boolean;
  readonly production: boolean;
}

/** In the shape of GitHub's webhook. */
export function deploymentPayload(row: DeploymentRow): ContextObject {
  const { id, sha, ref, task, environment, description } = row;
  return {
    id,
    sha,
    ref: ref.replace(/^refs\/(heads|tags)\//, ""),
    task,
    environment,
    original_environment: environment,
    description,
    payload: JSON.parse(row.payload_json) as ContextObject,
    transient_environment: row.transient === 1,
    production_environment: row.production === 1,
    creator: { login: row.creator, id: personId(row.creator), type: "User" },
    created_at: timestamp(row.created_at),
    updated_at: timestamp(row.updated_at),
  };
}

export function statusPayload(status: DeploymentStatusRow, deployment: DeploymentRow): ContextObject {
  return {
    id: status.id,
    state: status.state,
    description: status.description,
    environment: deployment.environment,
    environment_url: status.environment_url ?? "",
    log_url: status.log_url ?? "",
    target_url: status.log_url ?? "",
    creator: { login: status.creator, id: personId(status.creator), type: "User" },
    created_at: timestamp(status.created_at),
    updated_at: timestamp(status.created_at),
  };
}

export function deploymentSummary(row: DeploymentRow): DeploymentSummary {
  return {
    id: row.id,
    repository: row.repository,
    environment: row.environment,
    state: row.state,
    ref: row.ref,
    sha: row.sha,
    task: row.task,
    description: row.description,
    creator: row.creator,
    ...(row.environment_url === null ? {} : { environmentUrl: row.environment_url }),
    ...(row.run_id === null ? {} : { runId: String(row.run_id) }),
    ...(row.job_id === null ? {} : { jobId: String(row.job_id) }),
    createdAt: timestamp(row.created_at),
    updatedAt: timestamp(row.updated_at),
  };
}

export function deploymentDetail(row: DeploymentRow): DeploymentDetail {
  return {
    ...deploymentSummary(row),
    payload: JSON.parse(row.payload_json) as ContextObject,
    transient: row.transient === 1,
    production: row.production === 1,
  };
}

export function statusView(row: DeploymentStatusRow): DeploymentStatus {
  return {
    id: row.id,
    state: row.state,
    creator: row.creator,
    description: row.description,
    ...(row.environment_url === null ? {} : { environmentUrl: row.environment_url }),
    ...(row.log_url === null ? {} : { logUrl: row.log_url }),
    createdAt: timestamp(row.created_at),
  };
}
