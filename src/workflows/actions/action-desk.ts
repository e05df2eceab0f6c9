/** What runners ask about actions: where they are, and their files. */
import { WorkflowsError } from "../errors.ts";
import { trustOf } from "../plan/secrets-policy.ts";
import type {
  ActionAnswer,
  ActionArchiveRequest,
  ActionAsk,
  ActionsRequest,
  ActionsResponse,
  ContextObject,
} from "../protocol.ts";
import { findPlace } from "../run/job-place.ts";
import type { RunParts } from "../run/parts.ts";
import { findRun } from "../run/run-store.ts";
import type { JobRow, RunRow } from "../run/schema.ts";
import type { WorkflowOrigin } from "../parse/model.ts";
import { saveJobActions } from "./job-actions.ts";
import type { ActionRules } from "./resolver.ts";

/** Who holds a job by a lease. Throws when nobody does. */
export type FindLeased = (jobId: number, lease: string) => Promise<JobRow>;

export class ActionDesk {
  readonly #parts: RunParts;
  readonly #leased: FindLeased;

  constructor(parts: RunParts, leased: FindLeased) {
    this.#parts = parts;
    this.#leased = leased;
  }

  /** One answer for each question, in their order. */
  async resolve(jobId: number, request: ActionsRequest, signal: AbortSignal): Promise<ActionsResponse> {
    const job = await this.#leased(jobId, request.lease);
    const run = await this.#runOf(job);
    const rules = await this.#rules(run, signal);
    const options = { rules, from: run.repository, signal };
    const actions = await Promise.all(
      request.actions.map(async (ask) => {
        if (ask.uses.startsWith("$/")) return await this.#own(run, job, ask, options);
        return await this.#parts.actions.resolver.resolve(ask, options);
      }),
    );
    const used = request.actions.flatMap(({ uses }, index) => {
      const answer = actions[index];
      return answer === undefined ? [] : [{ uses, answer }];
    });
    await saveJobActions(this.#parts.db, job, used);
    return { actions };
  }

  /** The files of a commit that the job may use. */
  async archive(jobId: number, request: ActionArchiveRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const job = await this.#leased(jobId, request.lease);
    const run = await this.#runOf(job);
    const options = { rules: await this.#rules(run, signal), from: run.repository, signal };
    const repository = await this.#parts.actions.resolver.repositoryOf(request, options);
    if (repository === undefined || !(await repository.bring(request.sha, { signal }))) {
      const message = `There is no commit ${request.sha} of "${request.repository}" that the job may read`;
      throw new WorkflowsError("workflows/request-invalid", message);
    }
    return repository.archive(request.sha, { signal });
  }

  /** `$/path`: of the repository and commit that the workflow file itself is of. That needs nobody's leave. */
  async #own(
    run: RunRow,
    job: JobRow,
    { uses }: ActionAsk,
    options: { readonly rules: ActionRules; readonly from: string; readonly signal: AbortSignal },
  ): Promise<ActionAnswer> {
    const { repository, sha } = await this.#originOf(run, job);
    const found = await this.#parts.actions.source.local(repository, options);
    if (found === undefined) {
      // A called workflow of another host: its commit is kept since the run was planned.
      const ask = { uses: `${repository}${uses.slice(1)}@${sha}`, builtIn: false };
      return await this.#parts.actions.resolver.resolve(ask, options);
    }
    return { kind: "archive", source: "local", repository: found.name, ref: sha, sha };
  }

  async #originOf(run: RunRow, job: JobRow): Promise<WorkflowOrigin> {
    const place = await findPlace(this.#parts.db, run, job, this.#parts.services.base);
    return place?.origin ?? { repository: run.repository, ref: run.ref, sha: run.sha };
  }

  async #rules(run: RunRow, signal: AbortSignal): Promise<ActionRules> {
    const { repository, sha } = run;
    const payload = JSON.parse(run.payload_json) as ContextObject;
    const { readOnly } = trustOf({ eventName: run.event_name, repository, payload });
    const policySha = readOnly ? (await this.#parts.source.defaultHead(repository, { signal }))?.sha : sha;
    return await this.#parts.actions.rules.rules({ repository, sha, policySha }, { signal });
  }

  async #runOf(job: JobRow): Promise<RunRow> {
    const run = await findRun(this.#parts.db, job.run_id);
    if (run === undefined) throw new WorkflowsError("workflows/not-found", `Job ${job.id} has no run`);
    return run;
  }
}
