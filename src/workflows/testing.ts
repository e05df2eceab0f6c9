/** A control process with only this room in it, for tests: in the test's own process, or in one that can be killed. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fastify, type FastifyInstance } from "fastify";
import type { AccessPort } from "#api";
import { openDatabase, silentLog, systemClock, systemIds } from "#lib";
import type { NamedCommit } from "./actions/lock.ts";
import { noActionSources, type ActionRepository } from "./actions/ports.ts";
import type { ReviewPort, WorkflowSourcePort } from "./ports.ts";
import type { ClaimRequest, JobAssignment, LogLine, StepState } from "./protocol.ts";
import { zeroSha, type WorkflowEvent } from "./run/event.ts";
import { workflowRoutes } from "./run/routes.ts";
import type { RunDetails } from "./run/view.ts";
import { openWorkflows, type Workflows } from "./run/workflows.ts";

export interface ControlOptions {
  readonly folder: string;
  /** Path in the repository to text; the same for every commit. */
  readonly files: Readonly<Record<string, string>>;
  /** Files of other repositories: `owner/repo/path@ref` to text. */
  readonly called?: Readonly<Record<string, string>>;
  readonly leaseMs: number;
  /** Where the process kills itself while it accepts an event. */
  readonly dieAt?: "before commit" | "before reply";
  readonly changedPaths?: readonly string[];
  readonly headMessage?: string;
  readonly retention?: { readonly days: number; readonly count: number };
  readonly review?: ReviewPort;
}

export interface Control extends AsyncDisposable {
  readonly url: string;
  readonly workflows: Workflows;
  /** Ids of jobs whose token is live. */
  readonly tokens: ReadonlySet<string>;
}

const everyone: AccessPort = {
  authenticate: (authorization) =>
    Promise.resolve(authorization === "Bearer runner" ? { name: "runner", scopes: ["runner:write"] } : undefined),
};

const urls = { serverUrl: "http://tidegate.localhost", apiUrl: "http://127.0.0.1/api/v3", graphqlUrl: "" };

/** As in the real server, nobody knows them before it listens. */
class LateAddresses {
  known = false;

  get serverUrl(): string {
    return this.#url("serverUrl");
  }
  get apiUrl(): string {
    return this.#url("apiUrl");
  }
  get graphqlUrl(): string {
    return this.#url("graphqlUrl");
  }

  #url(name: keyof typeof urls): string {
    if (!this.known) throw new Error("The ports are not bound yet");
    return urls[name];
  }
}

export async function startControl(options: ControlOptions): Promise<Control> {
  const database = openDatabase(join(options.folder, "control.db"));
  const tokens = new Set<string>();
  const addresses = new LateAddresses();
  const workflows = await openWorkflows({
    database,
    folder: options.folder,
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
    source: sourceOf(options),
    actions: { ...noActionSources, local: (name) => Promise.resolve(calledRepository(options, name)) },
    leaseMs: options.leaseMs,
    ...(options.review === undefined ? {} : { review: options.review }),
    ...(options.retention === undefined ? {} : { retention: options.retention }),
    tokens: {
      mint: (job) => Promise.resolve(`token-${tokens.add(job.jobId).size}`),
      revoke: (jobId) => Promise.resolve(void tokens.delete(jobId)),
    },
    variables: {
      variables() {
        if (options.dieAt === "before commit") process.kill(process.pid, "SIGKILL");
        return Promise.resolve({ REGION: "north" });
      },
      secrets: ({ environment }) =>
        Promise.resolve({ PASSWORD: environment === undefined ? "s3cret" : `s3cret of ${environment}` }),
    },
    services: {
      base: addresses,
      forJob: () => Promise.resolve({ ...urls, internalServerUrl: "http://127.0.0.1" }),
    },
  });
  const server = fastify({ forceCloseConnections: true });
  await server.register(workflowRoutes({ workflows, access: everyone, log: silentLog }), {
    prefix: "/api/tidegate/v1/runner",
  });
  addTestRoutes(server, workflows, options);
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  addresses.known = true;
  await workflows.resume();
  return {
    url,
    workflows,
    tokens,
    async [Symbol.asyncDispose]() {
      await workflows[Symbol.asyncDispose]();
      await server.close();
      await database.destroy();
    },
  };
}

/** What a test asks of a control process it cannot reach into. */
function addTestRoutes(server: FastifyInstance, workflows: Workflows, options: ControlOptions): void {
  server.route<{ Body: WorkflowEvent }>({
    method: "POST",
    url: "/test/accept",
    async handler(request) {
      const runs = await workflows.accept(request.body, { signal: new AbortController().signal });
      if (options.dieAt === "before reply") process.kill(process.pid, "SIGKILL");
      return { runs };
    },
  });
  server.route({ method: "GET", url: "/test/runs", handler: async () => await allRuns(workflows) });
}

export async function allRuns(workflows: Workflows): Promise<readonly RunDetails[]> {
  const list = await workflows.listRuns();
  const runs = await Promise.all(list.map((run) => workflows.getRun(run.id)));
  return runs.filter((run) => run !== undefined);
}

/** A repository that has the files of `called`, at the refs that these say. */
function calledRepository({ called = {} }: ControlOptions, name: string): ActionRepository | undefined {
  const files = Object.entries(called).filter(([key]) => key.startsWith(`${name}/`));
  if (files.length === 0) return undefined;
  const sha = "7".repeat(40);
  const commit = (ref: string): NamedCommit | undefined =>
    files.some(([key]) => key.endsWith(`@${ref}`)) ? { kind: "tag", ref, sha } : undefined;
  const find = (path: string): string | undefined => files.find(([key]) => key.startsWith(`${name}/${path}@`))?.[1];
  return {
    ...noActionSources.remote({ url: "" }, name),
    known: (ref) => Promise.resolve(commit(ref)),
    resolve: (ref) => Promise.resolve(commit(ref)),
    readFile: (_sha, path) => Promise.resolve(find(path)),
  };
}

function sourceOf(options: ControlOptions): WorkflowSourcePort {
  return {
    repository: () => Promise.resolve({ id: 7, defaultBranch: "main", private: false }),
    isProtected: (_repository, ref) => Promise.resolve(ref === "refs/heads/main"),
    files: () => Promise.resolve(Object.entries(options.files).map(([path, text]) => ({ path, text }))),
    defaultHead: () => Promise.resolve({ ref: "refs/heads/main", sha: "5".repeat(40) }),
    changedPaths: () => Promise.resolve(options.changedPaths),
    commits: (_repository, _before, after) =>
      Promise.resolve([
        {
          id: after,
          treeId: "0".repeat(40),
          message: options.headMessage ?? "Add a feature\n\nWith a reason",
          timestamp: "2026-01-01T00:00:00Z",
          author: { name: "Ada", email: "ada@example.com" },
          committer: { name: "Ada", email: "ada@example.com" },
        },
      ]),
  };
}

/** A control process that can be killed at any instruction. */
export interface MortalControl extends AsyncDisposable {
  readonly url: string;
  kill(): Promise<void>;
}

export async function spawnControl(options: ControlOptions): Promise<MortalControl> {
  const script = `
    import { startControl } from ${JSON.stringify(import.meta.url)};
    const control = await startControl(JSON.parse(process.argv[1]));
    console.log(control.url);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await firstLine(child);
  return { url, kill: () => kill(child), [Symbol.asyncDispose]: () => kill(child) };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("Cannot read from the control process: it has no standard output");
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error("Cannot start the control process: it ended without a line");
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** A push of `sha` to the branch `main`. */
export function pushEvent(id: string, values: Partial<Extract<WorkflowEvent, { name: "push" }>> = {}): WorkflowEvent {
  const sha = "5".repeat(40);
  const push = { id, name: "push", repository: "shop/web", ref: "refs/heads/main", sha, before: zeroSha } as const;
  return { ...push, actor: "ada", ...values };
}

/** The protocol as a runner speaks it, without running anything. */
export class RunnerFake {
  readonly name: string;
  url: string;

  constructor(name: string, url: string) {
    this.name = name;
    this.url = url;
  }

  async post(path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
    return await fetch(`${this.url}/api/tidegate/v1/runner${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer runner" },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async claim(claimId: string, labels: readonly string[] = ["ubuntu-latest"]): Promise<JobAssignment> {
    const request: ClaimRequest = { runnerId: this.name, name: this.name, labels, claimId };
    const response = await this.post("/claim", request);
    if (response.status !== 200) throw new Error(`Cannot claim: status ${response.status} ${await response.text()}`);
    return (await response.json()) as JobAssignment;
  }

  async sendLog(job: JobAssignment, step: number, firstLine: number, texts: readonly string[]): Promise<number> {
    const lines: LogLine[] = texts.map((text) => ({ time: "2026-01-01T00:00:00.000Z", text }));
    const response = await this.post(`/jobs/${job.jobId}/log`, { lease: job.lease, step, firstLine, lines });
    return ((await response.json()) as { acknowledged: number }).acknowledged;
  }

  async complete(
    job: JobAssignment,
    conclusion: "success" | "failure" | "cancelled",
    outputs: Readonly<Record<string, string>> = {},
    steps: readonly StepState[] = [],
  ): Promise<number> {
    const end = { lease: job.lease, conclusion, outputs, annotations: [], summary: "", steps };
    return (await this.post(`/jobs/${job.jobId}/complete`, end)).status;
  }
}
