/**
 * The one contract between the control process and the runner processes: JSON over HTTP, mounted at
 * `/api/tidegate/v1/runner`, every request with `Authorization: Bearer <token>` of the area "runner".
 *
 * A job goes `queued → claimed → completed`. Claiming gives a lease; every later request names it. Every request may be
 * repeated: what was already taken is answered as the first time, so a runner retries after any failure of the
 * connection or restart of control, and never has to know whether the first try arrived. The answer 410 (code
 * `workflows/lease-lost`) says that the job is no longer this runner's: stop its processes, forget it, report nothing.
 *
 * | request                   | body               | answer                       |
 * |---------------------------|--------------------|------------------------------|
 * | POST /claim               | ClaimRequest       | 200 JobAssignment, 204 none  |
 * | POST /jobs/:id/heartbeat  | HeartbeatRequest   | 200 HeartbeatResponse        |
 * | POST /jobs/:id/actions    | ActionsRequest     | 200 ActionsResponse          |
 * | POST /jobs/:id/archive    | ActionArchiveRequest | 200 a tar archive          |
 * | POST /jobs/:id/steps      | StepsRequest       | 200 {}                       |
 * | POST /jobs/:id/log        | LogRequest         | 200 LogResponse              |
 * | POST /jobs/:id/report     | ReportRequest      | 200 ReportResponse           |
 * | POST /jobs/:id/complete   | CompleteRequest    | 200 ReportResponse           |
 * | POST /jobs/:id/abandon    | AbandonRequest     | 200 {}                       |
 *
 * Errors carry `ErrorResponse`: 400 a body of the wrong shape, 401/403 the token, 404 no such job, 410 the lease is
 * lost, 413 too large. Only 5xx and a broken connection are worth a retry.
 */

/** What control refuses to take, and so what a runner must cut or split before it sends. */
export const protocolLimits = {
  /** Bytes of one request body. */
  bodyBytes: 8 * 1024 * 1024,
  /** Lines of one `LogRequest`. */
  logLines: 5_000,
  /** Lines of all logs of one `ReportRequest` together; its body is the closer limit. */
  reportLines: 50_000,
  /** UTF-16 units of one log line; the runner cuts longer ones. */
  logLineLength: 64 * 1024,
  /** Actions of one request. */
  actions: 1_000,
  /** Steps of one job, with "Set up job", pre, post and "Complete job". */
  steps: 1_000,
  /** Annotations of one job. */
  annotations: 1_000,
  /** UTF-16 units of one annotation message. */
  annotationLength: 64 * 1024,
  /** UTF-16 units of the job summary (all step summaries joined by a newline). */
  summaryLength: 4 * 1024 * 1024,
  /** UTF-16 units of all outputs of a job together, names and values. */
  outputsLength: 1024 * 1024,
} as const;

/** How long a claim waits for work at most, as control holds it; the runner's own deadline must be longer. */
export const claimWaitMs = 50_000;

export interface ClaimRequest {
  /** Stable identity of the runner process' registration: the same after its restart. */
  readonly runnerId: string;
  /** Shown to people. */
  readonly name: string;
  /** A job is given only when every label of its `runs-on` is here; case does not count. */
  readonly labels: readonly string[];
  /** The runner's group: jobs that ask for one go to its runners alone. */
  readonly group?: string;
  /**
   * A new UUID for each job wanted, the same when the request is repeated: if the answer was lost on the way, the
   * repetition gets the same job again.
   */
  readonly claimId: string;
}

/** A place in a workflow file, for messages about a step. */
export interface ProtocolLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A JSON value as contexts hold it. */
export type ContextValue =
  | null
  | boolean
  | number
  | string
  | readonly ContextValue[]
  | { readonly [key: string]: ContextValue };
export type ContextObject = { readonly [key: string]: ContextValue };

export type PermissionLevel = "read" | "write" | "none";
export type Permissions = "read-all" | "write-all" | Readonly<Record<string, PermissionLevel>>;

/**
 * What expressions of steps may read, all but `secrets`, `job`, `runner` and `steps`, which the runner makes.
 *
 * Everything here is evaluated: only steps and outputs still hold `${{ }}`.
 */
export interface JobContexts {
  /**
   * Without what only the runner knows: `workspace`, `action*`, `event_path`, `path`, `env`, `output`, `state`,
   * `step_summary`. Has `token` (the value of secrets.GITHUB_TOKEN), `event` (the payload) and `job` (the key).
   */
  readonly github: ContextObject;
  /** Workflow `env` with job `env` over it. */
  readonly env: Readonly<Record<string, string>>;
  readonly vars: Readonly<Record<string, string>>;
  /** `needs.<job>.{result, outputs}`. */
  readonly needs: ContextObject;
  readonly matrix: ContextObject;
  /** `fail-fast`, `job-index`, `job-total`, `max-parallel`. */
  readonly strategy: ContextObject;
  readonly inputs: ContextObject;
}

/** One entry of `steps:` as written: every string may hold `${{ }}` unless said otherwise. */
export interface StepDefinition {
  readonly id?: string;
  /**
   * Unique in the job: the id, else one made of what the step does, e.g. `__run_2`. What `github.action` says, and what
   * `control` names steps by. Absent in jobs of earlier releases.
   */
  readonly contextName?: string;
  readonly name?: string;
  /** An expression without `${{ }}` around it; when the file has none, or none with a status function, completed. */
  readonly if: string;
  /** Exactly one of `uses` (never holds an expression), `run` and `control` is present. */
  readonly uses?: string;
  readonly run?: string;
  readonly control?: StepControl;
  /** The job goes on while the step runs; what it sets is seen after a step that waits for it. */
  readonly background?: boolean;
  /** Steps of one `parallel` block share this name; all of them are in the background. */
  readonly parallelGroup?: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly shell?: string;
  readonly workingDirectory?: string;
  /** A string is a template that must give a boolean. */
  readonly continueOnError?: boolean | string;
  /** A string is a template that must give a number. */
  readonly timeoutMinutes?: number | string;
  readonly at: ProtocolLocation;
}

/** A step that runs nothing, but has to do with background steps before it, named by their `contextName`. */
export type StepControl =
  | { readonly kind: "wait"; readonly steps: readonly string[] }
  | { readonly kind: "wait-all" }
  | { readonly kind: "cancel"; readonly steps: readonly string[] };

/** A container of a job or a service of it; evaluated, but for `env`. */
export interface ContainerSpec {
  readonly image: string;
  /** Command line options of `docker create`. */
  readonly options?: string;
  /** Templates that may read the contexts `job`, `runner` and `env`, too. */
  readonly env: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly entrypoint?: string;
  readonly command?: string;
  /** For the registry of the image; the password is a secret. */
  readonly credentials?: { readonly username: string; readonly password: string };
}

/** Where the runner reaches the services that actions use. */
export interface ServiceEndpoints {
  /** GITHUB_SERVER_URL; clone URL of a repository is `<serverUrl>/<owner>/<repo>`. */
  readonly serverUrl: string;
  /** GITHUB_API_URL. */
  readonly apiUrl: string;
  /** GITHUB_GRAPHQL_URL. */
  readonly graphqlUrl: string;
  /**
   * The same server by an address that needs no name resolution (`*.localhost` does not resolve everywhere): what the
   * runner's own clients use, e.g. the built-in checkout.
   */
  readonly internalServerUrl: string;
  /** ACTIONS_RESULTS_URL (cache v2, artifacts v4), when the service is there. */
  readonly resultsUrl?: string;
  /** ACTIONS_CACHE_URL (cache v1), when the service is there. */
  readonly cacheUrl?: string;
  /** ACTIONS_RUNTIME_TOKEN; a secret. */
  readonly runtimeToken?: string;
  /** ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN, only with `permissions: id-token: write`; the token is a secret. */
  readonly idTokenRequestUrl?: string;
  readonly idTokenRequestToken?: string;
}

export interface JobAssignment {
  readonly jobId: string;
  readonly runId: string;
  /** 1 for the first, one more at each re-run. */
  readonly runAttempt: number;
  /** As people see it, e.g. `test (20, linux)`. */
  readonly name: string;
  /** The key under `jobs:`. */
  readonly key: string;
  readonly repository: string;
  readonly ref: string;
  readonly sha: string;
  /** Names this claim in every later request; a secret. */
  readonly lease: string;
  /** Silence longer than this loses the job. Send a heartbeat every third of it. */
  readonly leaseMs: number;
  readonly contexts: JobContexts;
  /** Every value is to be masked in every log; has GITHUB_TOKEN. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly steps: readonly StepDefinition[];
  /** `defaults.run`, job over workflow, evaluated. */
  readonly defaults: { readonly shell?: string; readonly workingDirectory?: string };
  /** Templates that read `steps`, evaluated by the runner when the last step ended. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly timeoutMinutes: number;
  /** How long steps that insist on running may take once the job is cancelled; absent: 5. */
  readonly cancelTimeoutMinutes?: number;
  /** The container that steps run in. */
  readonly container?: ContainerSpec;
  /** Containers beside the job by the name they are reached by; those with an empty image are not started. */
  readonly serviceContainers?: Readonly<Record<string, ContainerSpec>>;
  /** `url` is a template that reads `steps`, evaluated by the runner when the last step ended. */
  readonly environment?: { readonly name: string; readonly url?: string; readonly deployment: boolean };
  /** What the job's token may do, level by area; what is not named it may not. */
  readonly permissions?: Readonly<Record<string, PermissionLevel>>;
  /** The file the job is written in: of a job of a called workflow, not the one the run is of. */
  readonly workflow?: {
    readonly repository: string;
    readonly path: string;
    readonly ref: string;
    readonly sha: string;
  };
  readonly services: ServiceEndpoints;
}

/** A `uses:` that names another repository, or `$/path`. */
export interface ActionAsk {
  readonly uses: string;
  /** The runner has an implementation of its own. */
  readonly builtIn: boolean;
}

/** May take as long as another host takes to give a commit out. */
export interface ActionsRequest {
  readonly lease: string;
  readonly actions: readonly ActionAsk[];
}

/** A commit whose files are the action's. */
export interface ActionArchive {
  readonly kind: "archive";
  readonly source: "local" | "remote";
  /** Of a remote one: `https://github.com`. */
  readonly host?: string;
  /** `owner/repo`; the action may be in a folder of it, as `uses` says. */
  readonly repository: string;
  /** In full; of a commit, its id. */
  readonly ref: string;
  readonly sha: string;
  /** What the lock says: the digest that the files must have, and where it says so. */
  readonly lock?: { readonly digest: string; readonly at: string };
}

export type ActionAnswer =
  | { readonly kind: "built-in" }
  | ActionArchive
  /** Why it may not or cannot be used, with what to do about it. */
  | { readonly kind: "refused"; readonly message: string };

/** One answer for each question, in their order. */
export interface ActionsResponse {
  readonly actions: readonly ActionAnswer[];
}

export interface ActionArchiveRequest extends Pick<ActionArchive, "source" | "host" | "repository" | "sha"> {
  readonly lease: string;
}

export interface HeartbeatRequest {
  readonly lease: string;
  /**
   * Control may hold the answer this long (at most a third of the lease) and answers at once when the job is to be
   * cancelled: one such request always open makes cancelling immediate. Absent: answered at once.
   */
  readonly waitMs?: number;
}

export interface HeartbeatResponse {
  /** True: cancel the job as the Actions runner does (`if: always()` steps still run), then complete it. */
  readonly cancel: boolean;
}

export type StepConclusion = "success" | "failure" | "cancelled" | "skipped";

/**
 * `queued`: neither outcome nor times. `in_progress`: startedAt. `completed`: outcome (before `continue-on-error`),
 * conclusion (after it), completedAt, and startedAt unless skipped.
 */
export interface StepState {
  /** From 1 in the order they run: "Set up job" is 1, post steps and "Complete job" come last. Logs are kept by it. */
  readonly number: number;
  readonly id?: string;
  readonly name: string;
  readonly status: "queued" | "in_progress" | "completed";
  readonly outcome?: StepConclusion;
  readonly conclusion?: StepConclusion;
  /** RFC 3339. */
  readonly startedAt?: string;
  readonly completedAt?: string;
  /** Of a completed step: how many lines its log has, so that a watcher knows when it has seen all of them. */
  readonly logLines?: number;
}

/** The whole list each time; it replaces what control knew. */
export interface StepsRequest {
  readonly lease: string;
  readonly steps: readonly StepState[];
  /** Grows by one with each list; a list older than the one control holds is answered and ignored. */
  readonly revision: number;
}

export interface LogLine {
  /** RFC 3339 with milliseconds, by the runner's clock. */
  readonly time: string;
  /** One line without its line end, masked. */
  readonly text: string;
}

/** Lines of one step. `firstLine` counts from 0; lines control already holds are ignored. */
export interface LogRequest {
  readonly lease: string;
  readonly step: number;
  readonly firstLine: number;
  readonly lines: readonly LogLine[];
}

/**
 * `acknowledged` is the index of the next line control wants: all before it are on its disk and may be forgotten. If it
 * is below `firstLine`, control has a gap: send again from `acknowledged`. Empty `lines` ask for the number only.
 */
export interface LogResponse {
  readonly acknowledged: number;
}

/** What a runner has to say of a job in one request: `StepsRequest` and several of `LogRequest`. */
export interface ReportRequest {
  readonly lease: string;
  /** Absent when they have not changed; comes with its `revision`. */
  readonly steps?: readonly StepState[];
  readonly revision?: number;
  readonly logs: readonly Omit<LogRequest, "lease">[];
}

/** Of each of the logs, in the order of the request. */
export interface ReportResponse {
  readonly acknowledged: readonly number[];
}

export interface Annotation {
  readonly level: "notice" | "warning" | "error";
  readonly message: string;
  readonly title?: string;
  /** Relative to the workspace. */
  readonly path?: string;
  readonly startLine?: number;
  readonly endLine?: number;
  readonly startColumn?: number;
  readonly endColumn?: number;
  /** Number of the step it came from. */
  readonly step?: number;
}

/** Sent when the last step ended and all logs are acknowledged. Logs may still be sent after it under the same lease. */
export interface CompleteRequest {
  readonly lease: string;
  readonly conclusion: "success" | "failure" | "cancelled";
  readonly outputs: Readonly<Record<string, string>>;
  readonly annotations: readonly Annotation[];
  /** Markdown of all step summaries, in order. */
  readonly summary: string;
  /** The final list, as in `StepsRequest`. */
  readonly steps: readonly StepState[];
  /** Where what the job deployed is seen: `environment.url`, evaluated. */
  readonly environmentUrl?: string;
  /** The last lines. The job is completed once all lines of all of these are acknowledged, not before. */
  readonly logs?: ReportRequest["logs"];
}

/** The runner can not go on (it restarted and the job's processes are gone): control treats the job as lost at once. */
export interface AbandonRequest {
  readonly lease: string;
  readonly reason: string;
}

export interface ErrorResponse {
  readonly error: { readonly code: string; readonly message: string };
}
