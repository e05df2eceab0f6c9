/** A complete response head to what the proxy must know of it. Pure; as strict as for requests. */
import { hasForbiddenCharacters, readHeaderFields } from "./header-fields.ts";
import { wantsKeepAlive } from "./request-head.ts";
import type { Framing } from "./body-meter.ts";
import type { Refusal } from "./refusal.ts";

export interface ResponseHead {
  readonly status: number;
  readonly chunked: boolean;
  /** -1 when there is none. */
  readonly contentLength: number;
  /** Whether the backend will keep the connection. */
  readonly keepAlive: boolean;
  readonly upgrade: string;
  /** Pairs of offsets of lines that end here. */
  readonly removals: readonly number[];
}

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [^\r]*)?\r\n/;

/** @param head latin1 text from the status line to the empty line */
export function readResponseHead(head: string): ResponseHead | Refusal {
  if (hasForbiddenCharacters(head)) return { status: 502, reason: "control character in the response head" };
  const match = statusLine.exec(head);
  if (match === null) return { status: 502, reason: "malformed status line" };
  const fields = readHeaderFields(head, match[0].length, "response");
  if ("reason" in fields) return { status: 502, reason: fields.reason };
  if (fields.chunked && fields.contentLength >= 0)
    return { status: 502, reason: "response with both Content-Length and Transfer-Encoding" };
  return {
    status: Number(match[2]),
    chunked: fields.chunked,
    contentLength: fields.contentLength,
    keepAlive: wantsKeepAlive(fields.connection, Number(match[1])),
    upgrade: fields.upgrade,
    removals: fields.removals,
  };
}

/** RFC 9112 6.3, first matching rule. */
export function responseFraming(method: string, head: ResponseHead): Framing {
  if (method === "HEAD" || head.status < 200 || head.status === 204 || head.status === 304) return "none";
  if (head.chunked) return "chunked";
  if (head.contentLength === 0) return "none";
  return head.contentLength > 0 ? "length" : "close";
}

/**
 * Removes lines from a head in place by moving what stands before each of them to the right, against the body, so that
 * head and body can leave in one write without a copy.
 * @returns where the head begins now
 */
export function stripInPlace(buffer: Buffer, start: number, removals: readonly number[]): number {
  let shift = 0;
  for (let i = removals.length - 2; i >= 0; i -= 2) {
    const end = start + (removals[i + 1] ?? 0);
    const begin = start + (removals[i] ?? 0);
    const before = i === 0 ? start : start + (removals[i - 1] ?? 0);
    shift += end - begin;
    buffer.copyWithin(before + shift, before, begin);
  }
  return start + shift;
}
