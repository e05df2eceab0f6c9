/** Which repositories may use the runners of a group. Kept in memory too: every claim asks. */
import { WorkflowsError } from "../errors.ts";
import type { WorkflowsDatabase } from "../run/schema.ts";

export interface RunnerGroupView {
  readonly name: string;
  /** `owner/repo` or `owner/*`; of a group that is not listed, all. */
  readonly repositories: readonly string[];
}

/** The group of a runner that names none. */
export const defaultGroup = "Default";

const namePattern = /^[\w][\w .-]{0,99}$/;
const repositoryPattern = /^[A-Za-z0-9][\w.-]*\/(?:\*|[A-Za-z0-9][\w.-]*)$/;
const maxRepositories = 1_000;

export class RunnerGroups {
  readonly #db: WorkflowsDatabase;
  #known: ReadonlyMap<string, RunnerGroupView> | undefined;

  constructor(db: WorkflowsDatabase) {
    this.#db = db;
  }

  async list(): Promise<readonly RunnerGroupView[]> {
    return [...(await this.#all()).values()];
  }

  /** A question that is answered without waiting, by what is known at this moment. */
  async rule(group: string | undefined): Promise<(repository: string) => boolean> {
    const found = (await this.#all()).get((group ?? defaultGroup).toLowerCase());
    return (repository) => found === undefined || found.repositories.some((pattern) => matches(pattern, repository));
  }

  /** Whether runners of a group may take jobs of the repository. */
  async allowing(repository: string): Promise<(group: string | undefined) => boolean> {
    const all = await this.#all();
    return (group) => {
      const found = all.get((group ?? defaultGroup).toLowerCase());
      return found === undefined || found.repositories.some((pattern) => matches(pattern, repository));
    };
  }

  async set(name: string, repositories: unknown): Promise<RunnerGroupView> {
    checkGroupName(name);
    if (!Array.isArray(repositories) || repositories.length > maxRepositories) {
      throw invalid(`"repositories" of a runner group must be a list of at most ${maxRepositories}`);
    }
    const wrong: unknown = repositories.find((one) => typeof one !== "string" || !repositoryPattern.test(one));
    if (wrong !== undefined) {
      throw invalid(`Repository ${JSON.stringify(wrong)} of runner group "${name}" must be owner/repo or owner/*`);
    }
    const row = { key: name.toLowerCase(), name, repositories_json: JSON.stringify(repositories) };
    const { key: _key, ...values } = row;
    await this.#db
      .insertInto("workflows_runner_groups")
      .values(row)
      .onConflict((conflict) => conflict.column("key").doUpdateSet(values))
      .execute();
    this.#known = undefined;
    return { name, repositories: repositories as string[] };
  }

  /** From now on every repository may use the group's runners. */
  async remove(name: string): Promise<void> {
    const result = await this.#db
      .deleteFrom("workflows_runner_groups")
      .where("key", "=", name.toLowerCase())
      .executeTakeFirst();
    this.#known = undefined;
    if (result.numDeletedRows === 0n) {
      throw new WorkflowsError("workflows/not-found", `There is no rule for the runner group "${name}"`);
    }
  }

  async #all(): Promise<ReadonlyMap<string, RunnerGroupView>> {
    if (this.#known !== undefined) return this.#known;
    const rows = await this.#db.selectFrom("workflows_runner_groups").selectAll().orderBy("key").execute();
    const entries = rows.map(({ key, name, repositories_json: text }): [string, RunnerGroupView] => [
      key,
      { name, repositories: JSON.parse(text) as string[] },
    ]);
    return (this.#known = new Map(entries));
  }
}

export function checkGroupName(name: string): void {
  if (!namePattern.test(name)) throw invalid(`Runner group "${name}" needs a name of letters, digits, blank and . _ -`);
}

function matches(pattern: string, repository: string): boolean {
  const [wanted, actual] = [pattern.toLowerCase(), repository.toLowerCase()];
  return wanted.endsWith("/*") ? actual.startsWith(wanted.slice(0, -1)) : wanted === actual;
}

function invalid(message: string): WorkflowsError {
  return new WorkflowsError("workflows/request-invalid", message);
}
