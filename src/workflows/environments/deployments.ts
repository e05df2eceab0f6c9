/** Deployments of a repository: those of jobs, and those that people and programs record themselves. */
import type { DeploymentState, DeploymentStatus } from "#api";
import { WorkflowsError } from "../errors.ts";
import { environmentNameProblem } from "../plan/request-environment.ts";
import type { ContextObject } from "../protocol.ts";
import type { WorkflowEvent } from "../run/event.ts";
import type { RunParts } from "../run/parts.ts";
import {
  deploymentDetail,
  deploymentPayload,
  statusPayload,
  statusView,
  type DeploymentDetail,
} from "./deployment-view.ts";
import { environmentKey, ensureEnvironment, requireRoom } from "./environment-rows.ts";
import { insertStatus, retireOthers } from "./record-deployments.ts";
import type { DeploymentRow, DeploymentStatusRow } from "./schema.ts";

export interface DeploymentFilter {
  readonly environment?: string;
  readonly sha?: string;
  /** As it was given when it was recorded, or in full. */
  readonly ref?: string;
  readonly task?: string;
  /** Only older ones: the next page. */
  readonly before?: number;
  /** At most 100; default 30. */
  readonly limit?: number;
}

export interface NewDeployment {
  readonly repository: string;
  /** In full: `refs/heads/main`. */
  readonly ref: string;
  readonly sha: string;
  readonly environment: string;
  readonly task?: string;
  readonly description?: string;
  readonly payload?: ContextObject;
  readonly transient?: boolean;
  readonly production?: boolean;
  readonly creator: string;
  /** A job does it with its own token: it starts no run. */
  readonly byJob?: boolean;
}

export interface NewDeploymentStatus {
  readonly state: DeploymentState;
  readonly description?: string;
  readonly environmentUrl?: string;
  readonly logUrl?: string;
  /** Retires the ones before it when it succeeds; absent: yes. */
  readonly autoInactive?: boolean;
  readonly creator: string;
  readonly byJob?: boolean;
}

type Accept = (event: WorkflowEvent, signal: AbortSignal) => Promise<unknown>;

const longest = { text: 1000, payload: 65_535 } as const;
const states: readonly string[] = [
  "pending",
  "queued",
  "in_progress",
  "success",
  "failure",
  "error",
  "inactive",
] satisfies readonly DeploymentState[];

export class Deployments {
  readonly #parts: RunParts;
  readonly #accept: Accept;

  constructor(parts: RunParts, accept: Accept) {
    this.#parts = parts;
    this.#accept = accept;
  }

  /** Newest first. */
  async list(repository: string, filter: DeploymentFilter = {}): Promise<readonly DeploymentDetail[]> {
    let query = this.#parts.db
      .selectFrom("workflows_deployments")
      .selectAll()
      .where("repository", "=", repository)
      .orderBy("id", "desc");
    const { environment, sha, ref, task, before, limit = 30 } = filter;
    if (environment !== undefined) query = query.where("environment_key", "=", environmentKey(environment));
    if (sha !== undefined) query = query.where("sha", "=", sha);
    if (ref !== undefined) query = query.where("ref", "in", [ref, `refs/heads/${ref}`, `refs/tags/${ref}`]);
    if (task !== undefined) query = query.where("task", "=", task);
    if (before !== undefined) query = query.where("id", "<", before);
    const rows = await query.limit(Math.min(Math.max(limit, 1), 100)).execute();
    return rows.map(deploymentDetail);
  }

  async get(repository: string, id: number): Promise<DeploymentDetail | undefined> {
    const row = await this.#find(repository, id);
    return row === undefined ? undefined : deploymentDetail(row);
  }

  /** Newest first; undefined when there is no such deployment. */
  async statuses(repository: string, id: number): Promise<readonly DeploymentStatus[] | undefined> {
    if ((await this.#find(repository, id)) === undefined) return undefined;
    const rows = await this.#parts.db
      .selectFrom("workflows_deployment_statuses")
      .selectAll()
      .where("deployment_id", "=", id)
      .orderBy("id", "desc")
      .limit(100)
      .execute();
    return rows.map(statusView);
  }

  /** Records one, and starts the workflows that wait for it. Throws `WorkflowsError` for what cannot be one. */
  async create(wanted: NewDeployment, options: { readonly signal: AbortSignal }): Promise<DeploymentDetail> {
    const { repository, ref, sha, environment, task = "deploy", description = "", payload = {}, creator } = wanted;
    const payloadText = JSON.stringify(payload);
    const problem =
      environmentNameProblem(environment) ??
      (task.length + description.length > longest.text
        ? "Task and description together have at most 1000 characters"
        : undefined) ??
      (payloadText.length > longest.payload ? `A payload has at most ${longest.payload} characters` : undefined);
    if (problem !== undefined) throw new WorkflowsError("workflows/request-invalid", problem);
    const nowMs = this.#parts.clock.now().epochMilliseconds;
    const values = {
      repository,
      environment,
      environment_key: environmentKey(environment),
      ref,
      sha,
      task,
      description,
      payload_json: payloadText,
      transient: wanted.transient === true ? 1 : 0,
      production: (wanted.production ?? environmentKey(environment) === "production") ? 1 : 0,
      creator,
      run_id: null,
      job_id: null,
      state: "pending",
      environment_url: null,
      settled: 1,
      told: wanted.byJob === true ? 1 : 0,
      created_at: nowMs,
      updated_at: nowMs,
    } as const;
    const id = await this.#parts.db.transaction().execute(async (tx) => {
      await requireRoom(tx, repository, environment);
      await ensureEnvironment(tx, repository, environment, creator, nowMs);
      const { insertId } = await tx.insertInto("workflows_deployments").values(values).executeTakeFirstOrThrow();
      return Number(insertId);
    });
    await this.tell(options.signal);
    return deploymentDetail({ ...values, id });
  }

  /** Throws `WorkflowsError` when there is no such deployment or state. */
  async addStatus(
    repository: string,
    id: number,
    wanted: NewDeploymentStatus,
    options: { readonly signal: AbortSignal },
  ): Promise<DeploymentStatus> {
    const deployment = await this.#find(repository, id);
    if (deployment === undefined) {
      throw new WorkflowsError("workflows/not-found", `There is no deployment ${id} of "${repository}"`);
    }
    const { state, description = "", environmentUrl = "", logUrl = "", creator } = wanted;
    const problem = statusProblem(state, description, environmentUrl, logUrl);
    if (problem !== undefined) throw new WorkflowsError("workflows/request-invalid", problem);
    const nowMs = this.#parts.clock.now().epochMilliseconds;
    const values = {
      state,
      creator,
      description,
      environment_url: environmentUrl === "" ? null : environmentUrl,
      log_url: logUrl === "" ? null : logUrl,
      // An inactive deployment starts no workflow.
      told: wanted.byJob === true || state === "inactive" ? 1 : 0,
      created_at: nowMs,
    };
    const made = await this.#parts.db.transaction().execute(async (tx) => {
      const statusId = await insertStatus(tx, deployment, values);
      if (state === "success" && wanted.autoInactive !== false) await retireOthers(tx, deployment, nowMs);
      return statusId;
    });
    await this.tell(options.signal);
    return statusView({ ...values, id: made, deployment_id: id });
  }

  /** Only one that is inactive, or the only one there is. Throws `WorkflowsError`. */
  async delete(repository: string, id: number): Promise<void> {
    const row = await this.#find(repository, id);
    if (row === undefined) {
      throw new WorkflowsError("workflows/not-found", `There is no deployment ${id} of "${repository}"`);
    }
    if (row.state !== "inactive" && (await this.list(repository, { limit: 2 })).length > 1) {
      const message = `Cannot delete deployment ${id}: it is ${row.state}. Set it inactive first`;
      throw new WorkflowsError("workflows/not-possible-now", message);
    }
    await this.#parts.db.deleteFrom("workflows_deployments").where("id", "=", id).execute();
  }

  /** Starts the workflows that wait for what was recorded and not told yet; what a crash kept from it comes with the next. */
  async tell(signal: AbortSignal): Promise<void> {
    const { db } = this.#parts;
    for (const row of await db.selectFrom("workflows_deployments").selectAll().where("told", "=", 0).execute()) {
      const payload = { action: "created", deployment: deploymentPayload(row) };
      const event = { ...eventOf(row), id: `deployment:${row.id}`, name: "deployment", payload } as const;
      if (!(await this.#told(event, signal))) continue;
      await db.updateTable("workflows_deployments").set({ told: 1 }).where("id", "=", row.id).execute();
    }
    const statuses = await db
      .selectFrom("workflows_deployment_statuses")
      .selectAll()
      .where("told", "=", 0)
      .orderBy("id")
      .execute();
    for (const status of statuses) await this.#tellStatus(status, signal);
  }

  async #tellStatus(status: DeploymentStatusRow, signal: AbortSignal): Promise<void> {
    const { db } = this.#parts;
    const row = await db
      .selectFrom("workflows_deployments")
      .selectAll()
      .where("id", "=", status.deployment_id)
      .executeTakeFirst();
    if (row === undefined) return;
    const id = `deployment_status:${status.id}`;
    const about = { deployment: deploymentPayload(row), deployment_status: statusPayload(status, row) };
    const payload = { action: "created", ...about };
    const event = { ...eventOf(row), id, name: "deployment_status", actor: status.creator, payload } as const;
    if (!(await this.#told(event, signal))) return;
    await db.updateTable("workflows_deployment_statuses").set({ told: 1 }).where("id", "=", status.id).execute();
  }

  /** What was recorded stays recorded when no workflow can be started now: it is told with the next. */
  async #told(event: WorkflowEvent, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#accept(event, signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      this.#parts.log.error("Workflows that wait for a deployment were not started", { event: event.id, error });
      return false;
    }
  }

  async #find(repository: string, id: number): Promise<DeploymentRow | undefined> {
    return await this.#parts.db
      .selectFrom("workflows_deployments")
      .selectAll()
      .where("repository", "=", repository)
      .where("id", "=", id)
      .executeTakeFirst();
  }
}

function statusProblem(state: string, description: string, ...urls: readonly string[]): string | undefined {
  if (!states.includes(state)) return `A status is one of ${states.join(", ")}: found "${state}"`;
  if (description.length > longest.text) return `A description has at most ${longest.text} characters`;
  const wrong = urls.find((url) => url !== "" && (url.length > longest.text || !/^https?:\/\//i.test(url)));
  return wrong === undefined
    ? undefined
    : `"${wrong.slice(0, 100)}" is no address: it has to begin with http:// or https://`;
}

function eventOf({
  repository,
  ref,
  sha,
  creator,
}: DeploymentRow): Pick<WorkflowEvent, "repository" | "ref" | "sha" | "actor"> {
  return { repository, ref, sha, actor: creator };
}
