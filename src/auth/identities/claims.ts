/** What an identity token of a workflow job says of it: the claims that relying parties have rules for. Pure. */

export interface JobIdentity {
  readonly jobId: string;
  /** Scalars of the job's `github` context, by their names there. */
  readonly github: Readonly<Record<string, unknown>>;
  readonly environment?: string;
  /** The file the job is written in: the called one of a reusable workflow. */
  readonly jobWorkflowRef: string;
  readonly jobWorkflowSha: string;
}

/** Taken over from the `github` context as they are. */
const copied = [
  "actor",
  "actor_id",
  "base_ref",
  "event_name",
  "head_ref",
  "ref",
  "ref_type",
  "repository",
  "repository_id",
  "repository_owner",
  "repository_owner_id",
  "repository_visibility",
  "run_attempt",
  "run_id",
  "run_number",
  "sha",
  "workflow",
  "workflow_ref",
  "workflow_sha",
] as const;

export type IdentityClaims = Readonly<Record<string, string>>;

/** Every value is text, as GitHub's are. */
export function identityClaims(identity: JobIdentity): IdentityClaims {
  const { github, environment } = identity;
  const claims = Object.fromEntries(copied.map((name) => [name, textOf(github[name])]));
  return {
    ...claims,
    ref_protected: textOf(github["ref_protected"]),
    job_workflow_ref: identity.jobWorkflowRef,
    job_workflow_sha: identity.jobWorkflowSha,
    runner_environment: "self-hosted",
    ...(environment === undefined ? {} : { environment }),
    sub: subjectOf(identity),
  };
}

/**
 * Who the job is to those it signs in to. An environment comes first: its rules have let the job in. A pull request has
 * no branch of this repository to speak for.
 */
function subjectOf({ github, environment }: JobIdentity): string {
  const repository = `repo:${textOf(github["repository"])}`;
  // A colon inside would let one environment's name pass for more of a subject than it is.
  if (environment !== undefined) return `${repository}:environment:${environment.replaceAll(":", "%3A")}`;
  if (textOf(github["event_name"]) === "pull_request") return `${repository}:pull_request`;
  return `${repository}:ref:${textOf(github["ref"])}`;
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
