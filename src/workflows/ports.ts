/** What this room needs from the others, named for the need. */
import type { Problem } from "#lib";
import type { WorkflowText } from "./parse/workflow-file.ts";
import type { Granted } from "./plan/permissions.ts";
import type { ContextObject, ServiceEndpoints } from "./protocol.ts";

export interface PortOptions {
  readonly signal: AbortSignal;
}

export interface RepositoryFacts {
  /** Stable number of the repository. */
  readonly id: number;
  readonly defaultBranch: string;
  readonly private: boolean;
}

export interface CommitFacts {
  readonly id: string;
  readonly treeId: string;
  readonly message: string;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly author: { readonly name: string; readonly email: string };
  readonly committer: { readonly name: string; readonly email: string };
}

/** Reads repositories, named `owner/name`. A repository or commit that is not there is an error. */
export interface WorkflowSourcePort {
  repository(repository: string, options: PortOptions): Promise<RepositoryFacts>;
  /** Whether the ref is a protected branch; while no branch is protected each counts as one. */
  isProtected(repository: string, ref: string, options: PortOptions): Promise<boolean>;
  /** The files `isWorkflowPath` holds for, as they are in the commit. */
  files(repository: string, sha: string, options: PortOptions): Promise<readonly WorkflowText[]>;
  /** The newest commit of the default branch; undefined while there is none. */
  defaultHead(
    repository: string,
    options: PortOptions,
  ): Promise<{ readonly ref: string; readonly sha: string } | undefined>;
  /** Paths that differ between the commits; undefined when that cannot be known, e.g. `before` is gone or all zeros. */
  changedPaths(
    repository: string,
    before: string,
    after: string,
    options: PortOptions,
  ): Promise<readonly string[] | undefined>;
  /** Commits reachable from `after` and not from `before` (all zeros: any), newest last, the newest `limit` of them. */
  commits(
    repository: string,
    before: string,
    after: string,
    limit: number,
    options: PortOptions,
  ): Promise<readonly CommitFacts[]>;
}

/** What is to be said of a workflow file that runs all the same: warnings, told on its runs. */
export type ReviewPort = (repository: string, file: WorkflowText, options: PortOptions) => Promise<readonly Problem[]>;

export interface JobTokenRequest {
  readonly jobId: string;
  readonly runId: string;
  readonly repository: string;
  readonly actor: string;
  /** Everything the job may do: a level for each area. */
  readonly permissions: Granted;
}

/** Tokens that live as long as a job: GITHUB_TOKEN. */
export interface JobTokenPort {
  /** May be called again for the same job when its runner asks again or changes; earlier tokens of it may end. */
  mint(job: JobTokenRequest, options: PortOptions): Promise<string>;
  /** Ends all tokens of the job; does nothing when there are none. */
  revoke(jobId: string, options: PortOptions): Promise<void>;
}

export interface VariablesRequest {
  readonly repository: string;
  readonly ref: string;
  readonly eventName: string;
  /** Of the job, for secrets and variables that only this environment has. */
  readonly environment?: string;
}

/**
 * `vars` and `secrets`. Secrets are asked for only on behalf of events that may have them: the port need not judge that.
 * A value that is there and can never be read is an `ExpressionFailure`: the job fails with its message.
 */
export interface VariablesPort {
  variables(request: VariablesRequest, options: PortOptions): Promise<Readonly<Record<string, string>>>;
  secrets(request: VariablesRequest, options: PortOptions): Promise<Readonly<Record<string, string>>>;
}

export interface ServicesRequest extends JobTokenRequest {
  /** 1 for the first, one more at each re-run. */
  readonly attempt: number;
  /** The job's `github` context. */
  readonly github: ContextObject;
  readonly environment?: string;
  /** `owner/name/path@ref` of the file that the job is written in, and its commit. */
  readonly jobWorkflowRef: string;
  readonly jobWorkflowSha: string;
  readonly defaultBranch: string;
  /** A stranger's code runs. */
  readonly readOnly: boolean;
}

/** Where a job's runner reaches the services, with the tokens of this job where they need some. */
export interface ServicesPort {
  readonly base: Pick<ServiceEndpoints, "serverUrl" | "apiUrl" | "graphqlUrl">;
  forJob(job: ServicesRequest, options: PortOptions): Promise<ServiceEndpoints>;
}
