/** The server's HTTP APIs as commands use them. */
import type { ApiFailure, ChangeNotice } from "#api";
import { errorMessage, isObject, readFileIfExists } from "#lib";
import { homeFolder, homeOf, readEndpoints, remoteServer } from "#server";
import { CliError } from "./errors.ts";

export interface RequestOptions {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE" | "PATCH";
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

export class Client {
  readonly url: string;
  readonly #token: string;
  readonly #fromHome: boolean;

  /** @param fromHome whether the token is that of a data folder on this machine */
  constructor(url: string, token: string, fromHome: boolean) {
    this.url = url;
    this.#token = token;
    this.#fromHome = fromHome;
  }

  /** For git, which speaks with the same server itself. */
  get gitLogin(): { readonly url: string; readonly token: string; readonly fromHome: boolean } {
    return { url: this.url, token: this.#token, fromHome: this.#fromHome };
  }

  /** Calls the product API. @throws CliError with what the server said */
  async api<T>(path: string, options: RequestOptions = {}): Promise<T> {
    const response = await this.request(`/api/tidegate/v1${path}`, options);
    try {
      return (await response.json()) as T;
    } catch (error) {
      throw this.#lost(error, options.signal);
    }
  }

  async request(path: string, options: RequestOptions = {}): Promise<Response> {
    const { method = "GET", body, contentType = "application/json", accept = "application/json", signal } = options;
    let response: Response;
    try {
      response = await fetch(this.url + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#token}`,
          accept,
          ...(body === undefined ? {} : { "content-type": contentType }),
        },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      throw this.#lost(error, signal);
    }
    if (!response.ok) throw new CliError("cli/refused", await refusal(response));
    return response;
  }

  /** Server-sent events of a path, until the server ends them or the signal aborts. */
  async *events(path: string, signal: AbortSignal): AsyncGenerator<{ name: string; data: unknown }> {
    const response = await this.request(path, { accept: "text/event-stream", signal });
    let buffer = "";
    for await (const text of this.#chunks(response, signal)) {
      buffer += text;
      for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
        const event = parseEvent(buffer.slice(0, end));
        buffer = buffer.slice(end + 2);
        if (event !== undefined) yield event;
      }
    }
  }

  /** Yields once at the start and then whenever one of the topics changed: read the state again each time. */
  async *changes(topics: readonly ChangeNotice["topic"][], signal: AbortSignal): AsyncGenerator<void> {
    for await (const { name, data } of this.events("/api/tidegate/v1/events", signal)) {
      if (name === "hello" || topics.includes((data as ChangeNotice).topic)) yield;
    }
  }

  /** Lines of JSON, as they come. */
  async *lines<T>(path: string, signal: AbortSignal): AsyncGenerator<T> {
    const response = await this.request(`/api/tidegate/v1${path}`, { accept: "application/x-ndjson", signal });
    let buffer = "";
    for await (const text of this.#chunks(response, signal)) {
      buffer += text;
      const lines = buffer.split("\n");
      buffer = lines.pop() ?? "";
      for (const line of lines) if (line !== "") yield JSON.parse(line) as T;
    }
  }

  async *#chunks(response: Response, signal: AbortSignal): AsyncGenerator<string> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) yield decoder.decode(chunk as Uint8Array, { stream: true });
    } catch (error) {
      throw this.#lost(error, signal);
    }
  }

  /** What to throw when the connection could not be made, or broke. */
  #lost(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted === true) return error;
    const message = `Cannot reach Tidegate at ${this.url}: ${reasonOf(error)}; start it with "tidegate up"`;
    return new CliError("cli/not-running", message, { cause: error });
  }
}

function parseEvent(text: string): { name: string; data: unknown } | undefined {
  let name = "message";
  let data: string | undefined;
  for (const line of text.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    if (line.startsWith("data: ")) data = (data ?? "") + line.slice(6);
  }
  return data === undefined ? undefined : { name, data: JSON.parse(data) as unknown };
}

async function refusal(response: Response): Promise<string> {
  const text = (await response.text()).slice(0, 4096);
  try {
    const body: unknown = JSON.parse(text);
    if (isObject(body) && isObject(body["error"])) return (body as unknown as ApiFailure).error.message;
    if (isObject(body) && typeof body["message"] === "string") return body["message"];
  } catch {
    // Not JSON: shown as it is.
  }
  return `The server answered ${response.status}: ${text.trim()}`;
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return errorMessage(cause ?? error);
}

/**
 * The server of TIDEGATE_URL, or the one that runs on the data folder.
 *
 * @throws CliError when none is known
 */
export async function connect(homeFlag: string | undefined): Promise<Client> {
  const remote = homeFlag === undefined ? remoteServer() : undefined;
  if (remote !== undefined) return new Client(remote.url, remote.token, false);
  const home = homeOf(homeFolder(homeFlag));
  const endpoints = await readEndpoints(home);
  const token = (await readFileIfExists(home.adminToken))?.trim();
  if (endpoints === undefined || token === undefined) {
    const message = `Nothing runs on the data folder ${home.folder}: start it with "tidegate up", or name another folder with --home`;
    throw new CliError("cli/not-running", message);
  }
  const host = endpoints.host === "0.0.0.0" || endpoints.host === "::" ? "127.0.0.1" : endpoints.host;
  return new Client(`http://${host}:${endpoints.controlPort}`, token, true);
}
