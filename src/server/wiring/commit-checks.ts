/** All that is said of a commit: by statuses, by check runs, and by the jobs of the workflows that ran for it. */
import type { CheckResult, CheckRunView, ChecksPort, Forge, RepositoryRef, StatusView } from "#forge";
import type { Repositories } from "#git";
import type { JobView, RunDetails, RunFilter, RunView, Workflows } from "#workflows";

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
  /** Of runs for pull requests the head they are about, which never changes. */
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
    const place = { repository: repository.name, limit: maxRuns };
    const filters: RunFilter[] = [{ sha }];
    for (const { number, base } of await this.#options.forge().pulls.ofCommit(repository.id, sha)) {
      // What runs at the base, of its own or of what was merged, is about the pull request all the same.
      const ref = `refs/heads/${base.ref}`;
      filters.push({ ref: `refs/pull/${number}/merge` }, { event: "pull_request_target", ref });
      filters.push({ event: "pull_request", ref });
    }
    const found = new Map<string, RunView>();
    for (const filter of filters) {
      for (const run of await this.#options.workflows().listRuns({ ...place, ...filter })) {
        if ((await this.headOf(run)) === sha) found.set(run.id, run);
      }
    }
    return [...found.values()].toSorted((a, b) => Number(b.id) - Number(a.id));
  }

  /** The commit a run is about: of a pull request its head, not the merge that is tried, and not the base. */
  async headOf(run: Pick<RunView, "id" | "repository" | "event" | "sha" | "ref">): Promise<string> {
    if (!run.event.startsWith("pull_request")) return run.sha;
    const known = this.#heads.get(run.id);
    if (known !== undefined) return known;
    const head = (await this.#options.workflows().pullHead(run.id)) ?? (await this.#mergedHead(run)) ?? run.sha;
    this.#heads.set(run.id, head);
    return head;
  }

  async #mergedHead({
    repository,
    ref,
    sha,
  }: Pick<RunView, "repository" | "ref" | "sha">): Promise<string | undefined> {
    if (!/^refs\/pull\/\d+\/merge$/.test(ref)) return undefined;
    const commit = await this.#options.repositories.commitInfo(repository, sha).catch(() => undefined);
    return commit?.parents[1];
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
