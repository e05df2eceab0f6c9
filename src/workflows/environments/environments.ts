/** Settings of environments. */
import type { DeploymentSummary, EnvironmentSummary } from "#api";
import { formatProblems } from "#lib";
import { WorkflowsError } from "../errors.ts";
import { environmentNameProblem } from "../plan/request-environment.ts";
import type { RunParts } from "../run/parts.ts";
import type { RunDriver } from "../run/run-driver.ts";
import { timestamp } from "../run/view.ts";
import { deploymentSummary } from "./deployment-view.ts";
import { environmentKey, findEnvironment, requireRoom, settingsOf } from "./environment-rows.ts";
import type { EnvironmentRow } from "./schema.ts";
import { openSettings, readSettings } from "./settings.ts";

export class Environments {
  readonly #parts: RunParts;
  readonly #driver: RunDriver;

  constructor(parts: RunParts, driver: RunDriver) {
    this.#parts = parts;
    this.#driver = driver;
  }

  /** By repository and name; of all repositories without one. */
  async list(repository?: string): Promise<readonly EnvironmentSummary[]> {
    let query = this.#parts.db.selectFrom("workflows_environments").selectAll().orderBy("repository").orderBy("key");
    if (repository !== undefined) query = query.where("repository", "=", repository);
    const rows = await query.limit(1000).execute();
    return await Promise.all(rows.map((row) => this.#summary(row)));
  }

  async get(repository: string, name: string): Promise<EnvironmentSummary | undefined> {
    const row = await findEnvironment(this.#parts.db, repository, name);
    return row === undefined ? undefined : await this.#summary(row);
  }

  /**
   * Creates the environment or changes it; what the settings leave out stays as it is. Jobs that wait are judged by the
   * new settings at once. Throws `WorkflowsError` for settings that cannot be.
   */
  async set(repository: string, name: string, settings: unknown, actor: string): Promise<EnvironmentSummary> {
    const { db, clock } = this.#parts;
    const wrongName = environmentNameProblem(name);
    if (wrongName !== undefined) throw new WorkflowsError("workflows/request-invalid", wrongName);
    const nowMs = clock.now().epochMilliseconds;
    await db.transaction().execute(async (tx) => {
      const before = await findEnvironment(tx, repository, name);
      if (before === undefined) await requireRoom(tx, repository, name);
      const read = readSettings(settings, before === undefined ? openSettings : settingsOf(before));
      if (read.value === undefined) {
        const found = formatProblems(read.problems);
        throw new WorkflowsError("workflows/request-invalid", `Cannot set environment "${name}": ${found}`);
      }
      const values = { settings_json: JSON.stringify(read.value), updated_at: nowMs, updated_by: actor };
      await tx
        .insertInto("workflows_environments")
        .values({ repository, name, key: environmentKey(name), created_at: nowMs, ...values })
        .onConflict((conflict) => conflict.columns(["repository", "key"]).doUpdateSet(values))
        .execute();
    });
    await this.#rulesChanged(repository);
    const made = await this.get(repository, name);
    if (made === undefined) throw new WorkflowsError("workflows/not-possible-now", `"${name}" was deleted meanwhile`);
    return made;
  }

  /** Jobs that wait for it fail. Its deployments stay. Throws `WorkflowsError` when there is none. */
  async delete(repository: string, name: string): Promise<void> {
    const gone = await this.#parts.db
      .deleteFrom("workflows_environments")
      .where("repository", "=", repository)
      .where("key", "=", environmentKey(name))
      .executeTakeFirst();
    if (gone.numDeletedRows === 0n) {
      throw new WorkflowsError("workflows/not-found", `There is no environment "${name}" of "${repository}"`);
    }
    await this.#rulesChanged(repository);
  }

  /** All that is kept for a repository that goes. */
  async forget(repository: string): Promise<void> {
    await this.#parts.db.transaction().execute(async (tx) => {
      await tx.deleteFrom("workflows_environments").where("repository", "=", repository).execute();
      await tx.deleteFrom("workflows_deployments").where("repository", "=", repository).execute();
    });
    await this.#rulesChanged(repository);
  }

  async #rulesChanged(repository: string): Promise<void> {
    const runs = await this.#parts.db
      .selectFrom("workflows_runs as run")
      .innerJoin("workflows_gates as gate", "gate.run_id", "run.id")
      .select("run.id")
      .distinct()
      .where("run.repository", "=", repository)
      .where("run.status", "!=", "completed")
      .execute();
    this.#parts.gates.notify();
    for (const { id } of runs) {
      await this.#driver.advance(id);
      this.#driver.notify(id);
    }
  }

  async #summary(row: EnvironmentRow): Promise<EnvironmentSummary> {
    const newest = async (active: boolean): Promise<DeploymentSummary | undefined> => {
      const query = this.#parts.db
        .selectFrom("workflows_deployments")
        .selectAll()
        .where("repository", "=", row.repository)
        .where("environment_key", "=", row.key)
        .orderBy("id", "desc")
        .limit(1);
      const found = await (active ? query.where("state", "=", "success") : query).executeTakeFirst();
      return found === undefined ? undefined : deploymentSummary(found);
    };
    const [latest, active] = [await newest(false), await newest(true)];
    return {
      ...settingsOf(row),
      id: row.id,
      repository: row.repository,
      name: row.name,
      createdAt: timestamp(row.created_at),
      updatedAt: timestamp(row.updated_at),
      updatedBy: row.updated_by,
      ...(latest === undefined ? {} : { latest }),
      ...(active === undefined ? {} : { active }),
    };
  }
}
