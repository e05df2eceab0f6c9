/** Reads a response and writes it to the client, changing only what ends at this hop. */
import { BodyMeter } from "../http/body-meter.ts";
import { bodyMalformed } from "../http/chunked-body.ts";
import { HeadScanner, needMore, refused, type HeadLimits } from "../http/head-scanner.ts";
import { withoutRemovals } from "../http/header-fields.ts";
import type { RequestHead } from "../http/request-head.ts";
import { readResponseHead, responseFraming, stripInPlace, type ResponseHead } from "../http/response-head.ts";

/** The client's side, as far as a response needs it. */
export interface ResponseSink {
  write(data: Buffer | string): void;
  cork(): void;
  uncork(): void;
}

export type RelayOutcome =
  | "more"
  /** Whole. */
  | "done"
  /** Whole, but the backend sent more than that: its connection cannot be used again. */
  | "done-with-excess"
  /** 101 was sent; `rest` holds what came behind it. */
  | "upgraded"
  /** No valid response. If `headSent`, the client has part of it. */
  | "bad";

export class ResponseRelay {
  readonly #request: RequestHead;
  readonly #sink: ResponseSink;
  readonly #scanner: HeadScanner;
  /** Asked when the final head goes out: may the client's connection be kept? */
  readonly #mayKeepClient: () => boolean;
  #body = new BodyMeter("none");
  #plainBody = false;
  started = false;
  headSent = false;
  status = 0;
  /** What the response says of the backend's connection. */
  keepUpstream = false;
  /** What was told to the client about its connection. */
  keepClient = false;
  reason = "";
  rest: Buffer | undefined;

  constructor(request: RequestHead, sink: ResponseSink, limits: HeadLimits, mayKeepClient: () => boolean) {
    this.#request = request;
    this.#sink = sink;
    this.#scanner = new HeadScanner(limits);
    this.#mayKeepClient = mayKeepClient;
  }

  push(chunk: Buffer): RelayOutcome {
    this.started = true;
    return this.headSent ? this.#pushBody(chunk, 0) : this.#pushHead(chunk);
  }

  /** The backend ended its side. True when that completes the response. */
  endOfStream(): boolean {
    return this.headSent && this.#body.framing === "close";
  }

  #pushHead(chunk: Buffer): RelayOutcome {
    let from = 0;
    while (from < chunk.length) {
      const end = this.#scanner.scan(chunk, from);
      if (end === needMore) return "more";
      if (end === refused) return this.#bad(this.#scanner.refusal.reason);
      const text = this.#scanner.head.toString("latin1", this.#scanner.start, this.#scanner.end);
      const head = readResponseHead(text);
      if ("reason" in head) return this.#bad(head.reason);
      if (head.status === 101) return this.#upgrade(text, head, chunk, end);
      if (head.status >= 200) return this.#final(text, head, chunk, end);
      // HTTP/1.0 knows no interim responses (RFC 9110 15.2).
      if (this.#request.minorVersion === 1) this.#sink.write(Buffer.from(rewritten(text, head, ""), "latin1"));
      from = end;
    }
    return "more";
  }

  #upgrade(text: string, head: ResponseHead, chunk: Buffer, end: number): RelayOutcome {
    if (this.#request.upgrade === "") return this.#bad("switched protocols without being asked");
    const extra = `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
    this.#sink.write(Buffer.from(rewritten(text, head, extra), "latin1"));
    this.status = 101;
    this.headSent = true;
    this.rest = end < chunk.length ? chunk.subarray(end) : undefined;
    return "upgraded";
  }

  #final(text: string, head: ResponseHead, chunk: Buffer, end: number): RelayOutcome {
    const framing = responseFraming(this.#request.method, head);
    this.#body = new BodyMeter(framing, head.contentLength);
    this.#plainBody = framing === "chunked" && this.#request.minorVersion === 0;
    this.status = head.status;
    this.keepUpstream = head.keepAlive && framing !== "close";
    this.keepClient = framing !== "close" && !this.#plainBody && this.#mayKeepClient();
    this.headSent = true;
    const extra = this.#connectionLine();
    if (extra === "" && this.#scanner.head === chunk && !this.#plainBody) {
      const start = stripInPlace(chunk, this.#scanner.start, head.removals);
      return this.#pushBody(chunk, end, start);
    }
    const unchunked = this.#plainBody ? text.replace(/\r\ntransfer-encoding:[^\r]*/i, "") : undefined;
    const lines = unchunked === undefined ? rewritten(text, head, extra) : rewrittenAgain(unchunked, extra);
    this.#sink.cork();
    this.#sink.write(Buffer.from(lines, "latin1"));
    const outcome = this.#pushBody(chunk, end);
    this.#sink.uncork();
    return outcome;
  }

  /** RFC 9112 9.3: keeping is the default in 1.1 and must be said in 1.0. */
  #connectionLine(): string {
    if (!this.keepClient) return "Connection: close\r\n";
    return this.#request.minorVersion === 0 ? "Connection: keep-alive\r\n" : "";
  }

  /** @param writeFrom where what is to be written begins, when a head stands before the body in the same chunk */
  #pushBody(chunk: Buffer, from: number, writeFrom = from): RelayOutcome {
    const spans: number[] | undefined = this.#plainBody ? [] : undefined;
    const end = this.#body.measure(chunk, from, spans);
    const stop = end >= 0 ? end : chunk.length;
    if (end === bodyMalformed) {
      if (writeFrom < from) this.#sink.write(chunk.subarray(writeFrom, from));
      return this.#bad("malformed chunk in the response");
    }
    if (spans !== undefined) this.#writeSpans(chunk, spans);
    else if (stop > writeFrom)
      this.#sink.write(writeFrom === 0 && stop === chunk.length ? chunk : chunk.subarray(writeFrom, stop));
    if (end < 0) return "more";
    return end < chunk.length ? "done-with-excess" : "done";
  }

  #writeSpans(chunk: Buffer, spans: readonly number[]): void {
    for (let i = 0; i + 1 < spans.length; i += 2) this.#sink.write(chunk.subarray(spans[i], spans[i + 1]));
  }

  #bad(reason: string): "bad" {
    this.reason = reason;
    return "bad";
  }
}

/** The head without the lines that end here and with `extra` before the empty line. */
function rewritten(text: string, head: ResponseHead, extra: string): string {
  return `${withoutRemovals(text, 0, text.length - 2, head.removals)}${extra}\r\n`;
}

/** For the one case where a line goes that the parser keeps: it moved the offsets, so the head is read again. */
function rewrittenAgain(text: string, extra: string): string {
  const head = readResponseHead(text);
  return "reason" in head ? text : rewritten(text, head, extra);
}
