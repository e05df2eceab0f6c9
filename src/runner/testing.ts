/** A control process for tests: the protocol over real HTTP, jobs handed out one by one, everything recorded. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { silentLog, systemClock, systemIds, Wake, withDeadline } from "#lib";
import type {
  AbandonRequest,
  ActionAnswer,
  ActionAsk,
  ActionsRequest,
  CompleteRequest,
  HeartbeatRequest,
  JobAssignment,
  LogLine,
  LogRequest,
  LogResponse,
  ReportRequest,
  StepDefinition,
  StepsRequest,
} from "#workflows";
import type { RunnerOptions } from "./runner.ts";

export interface JobRecord {
  readonly assignment: JobAssignment;
  readonly logs: Map<number, LogLine[]>;
  steps: StepsRequest["steps"];
  completed?: CompleteRequest;
  abandoned?: AbandonRequest;
  cancel: boolean;
}

const fakeToken = "runner-token";

/** Of a runner that asks this control, one job at a time, by real clocks and without a word. */
export function runnerOptions(
  control: Pick<ControlFake, "url">,
  parts: Pick<RunnerOptions, "workFolder" | "baseEnv"> & Partial<RunnerOptions>,
): RunnerOptions {
  return {
    controlUrl: control.url,
    token: fakeToken,
    name: "test-runner",
    labels: [],
    nodePath: process.execPath,
    concurrency: 1,
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
    ...parts,
  };
}

export class ControlFake implements AsyncDisposable {
  readonly jobs = new Map<string, JobRecord>();
  readonly #queue: JobAssignment[] = [];
  readonly #changed = new Wake();
  readonly #cancelled = new Wake();
  readonly #claims = new Map<string, JobAssignment>();
  /** Jobs whose lease control takes away. */
  readonly lost = new Set<string>();
  /** What an action is; here only what is built in is any. */
  answerAction: (ask: ActionAsk) => ActionAnswer = ({ uses, builtIn }) =>
    builtIn ? { kind: "built-in" } : { kind: "refused", message: `Cannot use "${uses}": nobody has it` };
  /** Tar archives by commit. */
  readonly archives = new Map<string, Buffer>();
  /** Called when a job has been given to a claim and the answer is still to be sent. */
  onGiven: () => Promise<void> = () => Promise.resolve();
  #server: Server | undefined;
  #port = 0;
  readonly #waiting = new Set<() => void>();

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** As a restart of control: connections break, the port is closed until `start`. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const wake of this.#waiting) wake();
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  }

  queue(assignment: JobAssignment): JobRecord {
    const record: JobRecord = { assignment, logs: new Map(), steps: [], cancel: false };
    this.jobs.set(assignment.jobId, record);
    this.#queue.push(assignment);
    for (const wake of this.#waiting) wake();
    return record;
  }

  /** Waits until the record satisfies `done`. */
  async until(record: JobRecord, done: (record: JobRecord) => boolean, signal: AbortSignal): Promise<void> {
    while (!done(record)) await this.#changed.wait(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
    if (request.headers.authorization !== `Bearer ${fakeToken}`) return void response.writeHead(401).end("{}");
    const path = (request.url ?? "").replace("/api/tidegate/v1/runner", "");
    if (path === "/claim") return await this.#claim(body as { claimId: string }, response);
    const [, id = "", what = ""] = /^\/jobs\/([^/]+)\/(\w+)$/.exec(path) ?? [];
    const record = this.jobs.get(decodeURIComponent(id));
    if (record === undefined) return void response.writeHead(404).end("{}");
    if (this.lost.has(record.assignment.jobId)) return void response.writeHead(410).end("{}");
    if (what === "archive") return void response.writeHead(200).end(this.archives.get((body as { sha: string }).sha));
    if (what === "actions") {
      const { actions } = body as ActionsRequest;
      const answers = actions.map((ask) => this.answerAction(ask));
      return void response.writeHead(200).end(JSON.stringify({ actions: answers }));
    }
    if (what === "heartbeat") await this.#holdHeartbeat(record, body as HeartbeatRequest, response);
    const answer = receive(record, what, body);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    this.#changed.notify();
  }

  /** Open until the job is cancelled or lost, or the wait is over. */
  async #holdHeartbeat(record: JobRecord, request: HeartbeatRequest, response: ServerResponse): Promise<void> {
    const over = new AbortController();
    response.once("close", () => over.abort());
    const deadline = withDeadline(over.signal, request.waitMs ?? 0);
    while (!record.cancel && !deadline.aborted) await this.#cancelled.wait(deadline).catch(() => {});
  }

  cancel(record: JobRecord): void {
    record.cancel = true;
    this.#cancelled.notify();
  }

  async #claim(body: { claimId: string }, response: ServerResponse): Promise<void> {
    let found = this.#claims.get(body.claimId) ?? this.#queue.shift();
    while (found === undefined && this.#server !== undefined && !response.destroyed) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        response.once("close", resolve);
      });
      found = this.#queue.shift();
    }
    if (found === undefined) return void response.writeHead(204).end();
    this.#claims.set(body.claimId, found);
    await this.onGiven();
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(found));
  }
}

function receive(record: JobRecord, what: string, body: unknown): object {
  switch (what) {
    case "heartbeat":
      return { cancel: record.cancel };
    case "steps":
      record.steps = (body as StepsRequest).steps;
      return {};
    case "log":
      return receiveLog(record, body as LogRequest);
    case "report": {
      const { steps, logs, lease } = body as ReportRequest;
      if (steps !== undefined) record.steps = steps;
      return { acknowledged: logs.map((log) => receiveLog(record, { ...log, lease }).acknowledged) };
    }
    case "complete": {
      const { logs = [], ...completed } = body as CompleteRequest;
      const acknowledged = logs.map((log) => receiveLog(record, { ...log, lease: completed.lease }).acknowledged);
      record.completed = completed;
      return { acknowledged };
    }
    default:
      record.abandoned = body as AbandonRequest;
      return {};
  }
}

function receiveLog(record: JobRecord, request: LogRequest): LogResponse {
  const held = record.logs.get(request.step) ?? [];
  record.logs.set(request.step, held);
  if (request.firstLine <= held.length) held.push(...request.lines.slice(held.length - request.firstLine));
  return { acknowledged: held.length };
}

export type StepText = Omit<StepDefinition, "at" | "if"> & { readonly if?: string };

/** A job with these steps and what tests need not say. */
export function jobWith(jobId: string, steps: readonly StepText[], more: Partial<JobAssignment> = {}): JobAssignment {
  const server = "http://127.0.0.1:1";
  return {
    jobId,
    runId: "1",
    runAttempt: 1,
    name: jobId,
    key: jobId,
    repository: "acme/shop",
    ref: "refs/heads/main",
    sha: "0".repeat(40),
    lease: `lease-${jobId}`,
    leaseMs: 300,
    contexts: {
      github: {
        repository: "acme/shop",
        sha: "0".repeat(40),
        ref: "refs/heads/main",
        event: { number: 5 },
        actor: "ada",
      },
      env: { LEVEL: "job" },
      vars: {},
      needs: {},
      matrix: {},
      strategy: {},
      inputs: {},
    },
    secrets: { GITHUB_TOKEN: "tok-1234567890", PASSWORD: "hunter2-and-more" },
    steps: steps.map((step, index) => ({
      if: "success()",
      ...step,
      at: { file: ".github/workflows/ci.yml", line: 10 + index, column: 7 },
    })),
    defaults: {},
    outputs: {},
    timeoutMinutes: 5,
    services: {
      serverUrl: server,
      apiUrl: `${server}/api/v3`,
      graphqlUrl: `${server}/api/graphql`,
      internalServerUrl: server,
    },
    ...more,
  };
}

export function logText(record: JobRecord, step: number): string {
  return (record.logs.get(step) ?? []).map((line) => line.text).join("\n");
}

/** The whole log of the step with this name. */
export function logOf(record: JobRecord, name: string): string {
  const step = record.completed?.steps.find((one) => one.name === name);
  return step === undefined ? "" : logText(record, step.number);
}
