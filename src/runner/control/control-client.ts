/** The runner's side of the protocol (`#workflows` protocol.ts): every request is repeated until it is answered. */
import { backoffDelayMs, isObject, withDeadline, type Backoff, type Clock, type Ids, type Log } from "#lib";
import {
  claimWaitMs,
  type AbandonRequest,
  type ActionArchiveRequest,
  type ActionsRequest,
  type ActionsResponse,
  type ClaimRequest,
  type HeartbeatRequest,
  type HeartbeatResponse,
  type JobAssignment,
  type LogRequest,
  type LogResponse,
  type ReportResponse,
} from "#workflows";
import { ControlAway, ControlRefused, LeaseLost } from "../errors.ts";

export interface ControlClientOptions {
  /** `http://127.0.0.1:7070`; the protocol's path is added. */
  readonly controlUrl: string;
  readonly token: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/** Lines of one step, as they are on disk: the JSON of each, commas between them. */
export interface ReportedLog {
  readonly step: number;
  readonly firstLine: number;
  readonly lines: Buffer;
}

/** Control comes back within a second or two after a restart; then nobody should wait for us. */
const retry: Backoff = { initialMs: 100, factor: 2, maxMs: 1_000, jitter: 0.3 };

const requestMs = 30_000;
/** More than control gives another host. */
const actionsMs = 330_000;
const archiveAttempts = 8;
const maxAnswerBytes = 64 * 1024 * 1024;

export class ControlClient {
  readonly #options: ControlClientOptions;
  readonly #base: string;
  readonly #repeats: boolean;

  constructor(options: ControlClientOptions, repeats = true) {
    this.#options = options;
    this.#repeats = repeats;
    this.#base = `${options.controlUrl.replace(/\/+$/, "")}/api/tidegate/v1/runner`;
  }

  /** The same, for last words: a request that is not answered at the first try throws `ControlAway`. */
  once(): ControlClient {
    return new ControlClient(this.#options, false);
  }

  /** Waits on the server for work; undefined when there was none this time. */
  async claim(request: ClaimRequest, signal: AbortSignal): Promise<JobAssignment | undefined> {
    const answer = await this.#send("/claim", request, claimWaitMs + 15_000, signal);
    return isObject(answer) ? (answer as unknown as JobAssignment) : undefined;
  }

  async heartbeat(jobId: string, request: HeartbeatRequest, signal: AbortSignal): Promise<HeartbeatResponse> {
    const path = `/jobs/${encodeURIComponent(jobId)}/heartbeat`;
    const answer = await this.#send(path, request, (request.waitMs ?? 0) + requestMs, signal);
    return { cancel: isObject(answer) && answer["cancel"] === true };
  }

  /** May take as long as another host takes to give a commit out. */
  async actions(jobId: string, request: ActionsRequest, signal: AbortSignal): Promise<ActionsResponse> {
    const answer = await this.#send(`/jobs/${encodeURIComponent(jobId)}/actions`, request, actionsMs, signal);
    return isObject(answer) ? (answer as unknown as ActionsResponse) : { actions: [] };
  }

  /** Hands the archive to `take`, again from its start when the connection breaks. */
  async archive(
    jobId: string,
    request: ActionArchiveRequest,
    take: (archive: AsyncIterable<Uint8Array>) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const path = `/jobs/${encodeURIComponent(jobId)}/archive`;
    const payload = JSON.stringify(request);
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      try {
        const response = await this.#post(path, payload, withDeadline(signal, actionsMs));
        if (response.ok && response.body !== null) return await take(unbroken(response.body, signal));
        refuseForGood(path, response.status, await response.text());
        throw new ControlAway(`HTTP ${response.status}`);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ControlAway) || !this.#repeats || attempt >= archiveAttempts) throw error;
        await this.#options.clock.sleep(backoffDelayMs(retry, attempt, this.#options.ids.random()), signal);
      }
    }
  }

  /**
   * A `ReportRequest`, put together of what is JSON already: a log of many megabytes is not to be read and written again.
   *
   * @param steps the members `steps` and `revision` with their names, or nothing
   */
  async report(
    jobId: string,
    lease: string,
    steps: string | undefined,
    logs: readonly ReportedLog[],
    signal: AbortSignal,
  ): Promise<ReportResponse> {
    return await this.#sendLogs(jobId, "report", lease, steps, logs, signal);
  }

  /**
   * A `CompleteRequest`. The job is completed when all lines are acknowledged.
   *
   * @param result members of it as JSON, with their names
   */
  async complete(
    jobId: string,
    lease: string,
    result: string,
    logs: readonly ReportedLog[],
    signal: AbortSignal,
  ): Promise<ReportResponse> {
    return await this.#sendLogs(jobId, "complete", lease, result, logs, signal);
  }

  async #sendLogs(
    jobId: string,
    what: "report" | "complete",
    lease: string,
    members: string | undefined,
    logs: readonly ReportedLog[],
    signal: AbortSignal,
  ): Promise<ReportResponse> {
    const parts: Buffer[] = [
      Buffer.from(`{"lease":${JSON.stringify(lease)},${members === undefined ? "" : `${members},`}"logs":[`),
    ];
    for (const [index, { step, firstLine, lines }] of logs.entries()) {
      parts.push(Buffer.from(`${index === 0 ? "" : ","}{"step":${step},"firstLine":${firstLine},"lines":[`));
      parts.push(lines, Buffer.from("]}"));
    }
    const payload = Buffer.concat([...parts, Buffer.from("]}")]);
    const answer = await this.#sendText(`/jobs/${encodeURIComponent(jobId)}/${what}`, payload, requestMs, signal);
    const acknowledged = isObject(answer) && Array.isArray(answer["acknowledged"]) ? answer["acknowledged"] : [];
    return { acknowledged: acknowledged.filter((line) => typeof line === "number") };
  }

  async log(jobId: string, request: LogRequest, signal: AbortSignal): Promise<LogResponse> {
    const answer = await this.#job(jobId, "log", request, signal);
    const acknowledged = isObject(answer) ? answer["acknowledged"] : undefined;
    return { acknowledged: typeof acknowledged === "number" ? acknowledged : request.firstLine };
  }

  async abandon(jobId: string, request: AbandonRequest, signal: AbortSignal): Promise<void> {
    await this.#job(jobId, "abandon", request, signal);
  }

  async #job(jobId: string, what: string, body: object, signal: AbortSignal): Promise<unknown> {
    return await this.#send(`/jobs/${encodeURIComponent(jobId)}/${what}`, body, requestMs, signal);
  }

  /** Repeats after broken connections and 5xx, for as long as the signal lets it. */
  async #send(path: string, body: object, waitMs: number, signal: AbortSignal): Promise<unknown> {
    return await this.#sendText(path, JSON.stringify(body), waitMs, signal);
  }

  async #sendText(
    path: string,
    payload: string | Buffer<ArrayBuffer>,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<unknown> {
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      const outcome = await this.#once(path, payload, waitMs, signal);
      if (outcome.kind === "answer") return outcome.body;
      if (!this.#repeats) throw new ControlAway(outcome.cause);
      if (attempt === 3) this.#options.log.warn("Control does not answer: trying on", { path, cause: outcome.cause });
      await this.#options.clock.sleep(backoffDelayMs(retry, attempt, this.#options.ids.random()), signal);
    }
  }

  async #once(
    path: string,
    payload: string | Buffer<ArrayBuffer>,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<{ kind: "answer"; body: unknown } | { kind: "retry"; cause: string }> {
    let response: Response;
    let text: string;
    try {
      response = await this.#post(path, payload, withDeadline(signal, waitMs));
      text = await response.text();
    } catch (error) {
      signal.throwIfAborted();
      return { kind: "retry", cause: error instanceof Error ? error.message : String(error) };
    }
    if (response.status >= 500 || response.status === 429) return { kind: "retry", cause: `HTTP ${response.status}` };
    if (!response.ok) refuseForGood(path, response.status, text);
    if (text.length > maxAnswerBytes) throw refused(path, response.status, "the answer is too large");
    return { kind: "answer", body: text === "" ? undefined : (JSON.parse(text) as unknown) };
  }

  async #post(path: string, payload: string | Buffer<ArrayBuffer>, signal: AbortSignal): Promise<Response> {
    try {
      return await fetch(`${this.#base}${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${this.#options.token}`, "content-type": "application/json" },
        body: payload,
        signal,
      });
    } catch (error) {
      throw new ControlAway(error instanceof Error ? error.message : String(error));
    }
  }
}

/** What would be answered the same however often it was asked; returns for what is worth another try. */
function refuseForGood(path: string, status: number, text: string): void {
  if (status === 410 || status === 404) throw new LeaseLost();
  if (status < 500 && status !== 429) throw refused(path, status, text);
}

/** A connection that breaks is told from what is wrong with whoever reads. */
async function* unbroken(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body;
  } catch (error) {
    signal.throwIfAborted();
    throw new ControlAway(error instanceof Error ? error.message : String(error));
  }
}

function refused(path: string, status: number, text: string): ControlRefused {
  const message = `Cannot send "${path}" to control: it answered ${status}: ${text.slice(0, 300)}`;
  return new ControlRefused("runner/refused", message, { details: { status, said: saidIn(text) } });
}

/** The sentence of an answer in which there is one. */
function saidIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    if (typeof error?.message === "string") return error.message;
  } catch {
    // A proxy's page.
  }
  return text.slice(0, 300);
}
