/** All that is said of a commit: by statuses, by check runs, and by the jobs of the workflows that ran for it. */
import type { CheckResult, CheckRunView, ChecksPort, Forge, RepositoryRef, StatusView } from "#forge";
import type { Repositories } from "#git";
import type { JobView, RunDetails, RunView, Workflows } from "#workflows";

export interface CommitJob {
  readonly run: RunDetails;
  readonly job: JobView;
}

export interface CommitChecksOptions {
  readonly workflows: () => Workflows;
  readonly repositories: Repositories;
  readonly forge: () => Forge;
  /** Where people see a run. */
  readonly runUrl: (runId: string) => string;
}

const maxRuns = 200;

export class CommitChecks implements ChecksPort {
  readonly #options: CommitChecksOptions;
  /** Test merges and the head each was made of; a commit never changes. */
  readonly #heads = new Map<string, string>();

  constructor(options: CommitChecksOptions) {
    this.#options = options;
  }

  async of(repository: RepositoryRef, sha: string, baseBranch: string): Promise<readonly CheckResult[]> {
    const forge = this.#options.forge();
    const [required, statuses, checks, jobs] = await Promise.all([
      this.#options.repositories.requiredChecks(repository.name, baseBranch),
      forge.statuses.latest(repository.id, sha),
      forge.checks.list(repository.id, sha),
      this.jobs(repository, sha),
    ]);
    const found = [
      ...jobs.map(({ run, job }) => ofJob(run, job, this.#options.runUrl(run.id))),
      ...checks.map(ofCheck),
      ...statuses.map(ofStatus),
    ];
    const known = found.map((check) => ({ ...check, required: required.includes(check.name) }));
    const missing = required.filter((name) => !found.some((check) => check.name === name));
    return [
      ...known,
      ...missing.map(
        (name) => ({ name, required: true, state: "expected", description: "Nothing has reported" }) as const,
      ),
    ];
  }

  /** Of the newest run of each workflow and event for the commit, jobs that call workflows left out. */
  async jobs(repository: RepositoryRef, sha: string): Promise<readonly CommitJob[]> {
    const workflows = this.#options.workflows();
    const newest = new Map<string, RunView>();
    for (const run of await this.runs(repository, sha)) {
      const key = `${run.workflow.path} ${run.event} ${run.ref}`;
      if (!newest.has(key)) newest.set(key, run);
    }
    const runs = await Promise.all([...newest.values()].map((run) => workflows.getRun(run.id)));
    return runs
      .filter((run) => run !== undefined)
      .flatMap((run) => run.jobs.filter((job) => job.uses === undefined).map((job) => ({ run, job })));
  }

  /** Newest first: of the commit itself, and of pull requests whose head it is. */
  async runs(repository: RepositoryRef, sha: string): Promise<readonly RunView[]> {
    const workflows = this.#options.workflows();
    const own = await workflows.listRuns({ repository: repository.name, sha, limit: maxRuns });
    const pulls = await this.#options.forge().pulls.ofCommit(repository.id, sha);
    const merged: RunView[] = [];
    for (const { number } of pulls) {
      const ref = `refs/pull/${number}/merge`;
      for (const run of await workflows.listRuns({ repository: repository.name, ref, limit: maxRuns })) {
        if ((await this.headOf(run)) === sha) merged.push(run);
      }
    }
    // One for the base of a pull request says nothing of the base.
    const about = own.filter((run) => run.event !== "pull_request_target");
    return [...about, ...merged].toSorted((a, b) => Number(b.id) - Number(a.id));
  }

  /** The commit a run is about: of a pull request its head, not the merge that is tried. */
  async headOf(run: Pick<RunView, "repository" | "sha" | "ref">): Promise<string> {
    if (!/^refs\/pull\/\d+\/merge$/.test(run.ref)) return run.sha;
    const known = this.#heads.get(run.sha);
    if (known !== undefined) return known;
    const commit = await this.#options.repositories.commitInfo(run.repository, run.sha).catch(() => undefined);
    const head = commit?.parents[1] ?? run.sha;
    this.#heads.set(run.sha, head);
    return head;
  }
}

type Result = Omit<CheckResult, "required">;

function ofJob(run: RunView, job: JobView, url: string): Result {
  const done = job.status === "completed";
  const good = job.conclusion === "success" || job.conclusion === "skipped";
  return {
    name: job.name,
    state: done ? (good ? "success" : "failure") : "pending",
    description: `${run.workflow.name}: ${done ? (job.conclusion ?? "") : job.status.replace("_", " ")}`,
    url: `${url}?job=${job.id}`,
  };
}

function ofCheck(check: CheckRunView): Result {
  const done = check.status === "completed";
  const good = ["success", "neutral", "skipped"].includes(check.conclusion ?? "");
  return {
    name: check.name,
    state: done ? (good ? "success" : "failure") : "pending",
    description: check.title ?? check.conclusion ?? check.status,
    ...(check.detailsUrl === null ? {} : { url: check.detailsUrl }),
  };
}

function ofStatus(status: StatusView): Result {
  return {
    name: status.context,
    state: status.state === "error" ? "failure" : status.state,
    description: status.description ?? status.state,
    ...(status.targetUrl === null ? {} : { url: status.targetUrl }),
  };
}
