/**
 * Caches and artifacts as actions of ours use them: the protocols of the official clients, spoken to the server that
 * gave the job. While that server is away (it is being restarted) nothing fails: requests are repeated.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { backoffDelayMs, isAbort, isObject, withDeadline, type Backoff } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";
import { ownServerPatienceMs } from "../own-server.ts";

const retry: Backoff = { initialMs: 200, factor: 2, maxMs: 2_000, jitter: 0.3 };
const answerMs = 60_000;
const maxAnswerBytes = 8 * 1024 * 1024;
/** What is larger goes in blocks of this size, so that little is sent again when a connection breaks. */
const blockBytes = 64 * 1024 * 1024;
const maxSingleBytes = 128 * 1024 * 1024;
/** How long a transfer may stand without a byte coming or going. */
const transferMs = 600_000;

/** The server answered, and it is no success. */
export class ServiceRefusal extends StepFailure {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Fetched {
  /** `sha256:<hex>` */
  readonly digest: string;
  readonly size: number;
  readonly contentType: string;
  /** The name that the server gives it; empty when it gives none. */
  readonly fileName: string;
}

export type TwirpService = "CacheService" | "ArtifactService";

export class JobServices {
  readonly #call: ActionCall;
  readonly #base: string;
  readonly #token: string;

  private constructor(call: ActionCall, base: string, token: string) {
    this.#call = call;
    this.#base = base;
    this.#token = token;
  }

  /** Undefined where there is no server behind the job. */
  static of(call: ActionCall): JobServices | undefined {
    const { resultsUrl, runtimeToken } = call.parts.assignment.services;
    if (resultsUrl === undefined || runtimeToken === undefined) return undefined;
    return new JobServices(call, resultsUrl, runtimeToken);
  }

  async twirp(service: TwirpService, method: string, body: object): Promise<Record<string, unknown>> {
    return await this.post(`/twirp/github.actions.results.api.v1.${service}/${method}`, body);
  }

  /** JSON there and back, with the job's token. */
  async post(path: string, body: object): Promise<Record<string, unknown>> {
    const payload = JSON.stringify(body);
    const response = await this.#patiently(path, async (signal) => {
      const answer = await fetch(new URL(path, this.#base), {
        method: "POST",
        headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
        body: payload,
        signal: withDeadline(signal, answerMs),
      });
      return await settled(answer);
    });
    if (!response.ok) throw new ServiceRefusal(response.status, messageOf(response));
    const answer = response.text === "" ? {} : (JSON.parse(response.text) as unknown);
    return isObject(answer) ? answer : {};
  }

  /** Sends a file to an address that carries its own permission. */
  async upload(url: string, file: string, contentType: string): Promise<void> {
    const { size } = await stat(file);
    if (size <= maxSingleBytes) {
      await this.#put(url, file, { start: 0, end: size }, { "content-type": contentType });
      return;
    }
    const ids: string[] = [];
    for (let start = 0; start < size; start += blockBytes) {
      const id = Buffer.from(String(ids.length).padStart(8, "0")).toString("base64");
      await this.#put(`${url}&comp=block&blockid=${encodeURIComponent(id)}`, file, {
        start,
        end: Math.min(size, start + blockBytes),
      });
      ids.push(id);
    }
    const list = `<BlockList>${ids.map((id) => `<Latest>${id}</Latest>`).join("")}</BlockList>`;
    await this.#send(`${url}&comp=blocklist`, () => ({ body: list, headers: { "content-type": "application/xml" } }));
  }

  /** Brings what is at the address into the file. A transfer that breaks off is begun again. */
  async download(url: string, file: string, headers: Readonly<Record<string, string>> = {}): Promise<Fetched> {
    let found: Fetched | undefined;
    const end = await this.#patiently("the download", async (signal) => {
      const response = await fetch(url, { headers, signal: withDeadline(signal, transferMs) });
      if (!response.ok || response.body === null) return await settled(response);
      found = await this.#store(response, response.body, file, signal);
      return { ok: true, status: response.status, text: "" };
    });
    if (found === undefined) throw new ServiceRefusal(end.status, messageOf(end));
    return found;
  }

  async #store(response: Response, body: ReadableStream, file: string, signal: AbortSignal): Promise<Fetched> {
    const hash = createHash("sha256");
    let size = 0;
    const counted = async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of source) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    };
    await pipeline(Readable.fromWeb(body), counted, createWriteStream(file, { mode: 0o600 }), { signal });
    return {
      size,
      digest: `sha256:${hash.digest("hex")}`,
      contentType: response.headers.get("content-type") ?? "",
      fileName: fileNameOf(response.headers.get("content-disposition") ?? ""),
    };
  }

  async #put(
    url: string,
    file: string,
    part: { readonly start: number; readonly end: number },
    headers: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await this.#send(url, () => ({
      // An empty file has no last byte to name.
      body:
        part.end === part.start ? "" : Readable.toWeb(createReadStream(file, { start: part.start, end: part.end - 1 })),
      headers: { ...headers, "x-ms-blob-type": "BlockBlob", "content-length": String(part.end - part.start) },
    }));
  }

  async #send(
    url: string,
    content: () => { body: string | ReadableStream; headers: Readonly<Record<string, string>> },
  ): Promise<void> {
    const response = await this.#patiently("the upload", async (signal) => {
      const init = { method: "PUT", ...content(), duplex: "half", signal: withDeadline(signal, transferMs) } as const;
      return await settled(await fetch(url, init));
    });
    if (!response.ok) throw new ServiceRefusal(response.status, messageOf(response));
  }

  /** Until there is an answer that is not the server's own trouble, or it has been away for too long. */
  async #patiently(what: string, once: (signal: AbortSignal) => Promise<Settled>): Promise<Settled> {
    const { parts, step } = this.#call;
    const { clock, ids } = parts;
    const signal = step.stop;
    const since = clock.monotonicMs();
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      let trouble: string;
      try {
        const answer = await once(signal);
        if (answer.status < 500 && answer.status !== 429) return answer;
        trouble = `it answered ${answer.status}`;
        if (clock.monotonicMs() - since > ownServerPatienceMs) return answer;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof StepFailure) throw error;
        trouble = isAbort(error) ? "it did not answer in time" : causeOf(error);
        if (clock.monotonicMs() - since > ownServerPatienceMs) {
          throw new StepFailure(`Cannot reach the server for ${what}: ${trouble}`, error);
        }
      }
      if (attempt === 2) this.#call.log(`The server does not answer, trying on: ${trouble}`);
      await clock.sleep(backoffDelayMs(retry, attempt, ids.random()), signal);
    }
  }
}

interface Settled {
  readonly ok: boolean;
  readonly status: number;
  readonly text: string;
}

async function settled(response: Response): Promise<Settled> {
  const length = Number(response.headers.get("content-length") ?? 0);
  if (length > maxAnswerBytes) throw new StepFailure(`The server's answer has ${length} bytes, more than is read`);
  const text = await response.text();
  if (text.length > maxAnswerBytes) throw new StepFailure("The server's answer is larger than is read");
  return { ok: response.ok, status: response.status, text };
}

function messageOf({ status, text }: Settled): string {
  try {
    const body = JSON.parse(text) as unknown;
    const message = isObject(body) ? (body["msg"] ?? body["message"]) : undefined;
    if (typeof message === "string") return message;
  } catch {
    const xml = /<Message>([^<]*)<\/Message>/.exec(text)?.[1];
    if (xml !== undefined) return xml;
  }
  return `The server answered ${status}: ${text.slice(0, 300)}`;
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** RFC 6266; only the name itself, whatever folders it claims. */
function fileNameOf(disposition: string): string {
  const encoded = /filename\*\s*=\s*UTF-8''([^;\r\n]*)/i.exec(disposition)?.[1];
  const plain = /(?<!\*)filename\s*=\s*"?([^;\r\n"]*)"?/i.exec(disposition)?.[1];
  const name = encoded === undefined ? (plain ?? "") : decodeURIComponent(encoded.trim());
  return name.split(/[/\\]/).at(-1) ?? "";
}
