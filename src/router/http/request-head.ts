/** A complete request head to what the proxy must know of it. Pure and strict: facts for each refusal are RFC 9112 3-6. */
import {
  hasForbiddenCharacters,
  isTokenCode,
  readHeaderFields,
  withoutRemovals,
  type HeaderFields,
} from "./header-fields.ts";
import type { Refusal } from "./refusal.ts";

export interface RequestHead {
  readonly method: string;
  /** Origin form or "*"; what is sent on. */
  readonly target: string;
  /** The target up to the query: what is matched. */
  readonly path: string;
  readonly authority: string;
  readonly minorVersion: 0 | 1;
  /** Length of the body; -1 when it is chunked. */
  readonly bodyLength: number;
  /** Whether the client wants the connection kept. */
  readonly keepAlive: boolean;
  /** The protocols asked for, "" when no upgrade is. */
  readonly upgrade: string;
  readonly expectsContinue: boolean;
  /** Header lines to pass on, each with its CRLF. */
  readonly lines: string;
  readonly forwardedFor: string;
  readonly forwardedProto: string;
  readonly forwardedHost: string;
  readonly requestId: string;
}

/** No blank, no control character, no fragment; bytes above 0x7f are passed on. */
const requestLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^\s#]+) HTTP\/(\d)\.(\d)$/;
const absoluteForm = /^https?:\/\/([^/?#]+)([/?].*)?$/i;
/** RFC 3986 reg-name or IP literal, with an optional port. User information is not allowed in Host. */
const hostSyntax = /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;

/** @param head latin1 text from the request line to the empty line */
export function readRequestHead(head: string): RequestHead | Refusal {
  if (hasForbiddenCharacters(head)) return { status: 400, reason: "control character in head" };
  const lineEnd = head.indexOf("\r\n");
  const [, method, target, major, minor] = requestLine.exec(head.slice(0, lineEnd)) ?? [];
  if (method === undefined || target === undefined) return { status: 400, reason: "malformed request line" };
  if (major !== "1") return { status: 505, reason: "only HTTP/1.1 and HTTP/1.0 are spoken here" };
  if (method === "CONNECT") return { status: 405, reason: "CONNECT is not allowed" };
  const fields = readHeaderFields(head, lineEnd + 2, "request");
  if ("reason" in fields) return fields;
  const minorVersion = minor === "0" ? 0 : 1;
  const framing = checkFraming(fields, minorVersion);
  if (framing !== undefined) return framing;
  return assemble(head, lineEnd, method, target, minorVersion, fields);
}

function checkFraming(fields: HeaderFields, minorVersion: number): Refusal | undefined {
  if (fields.hosts === 0) return { status: 400, reason: "no Host" };
  if (fields.hosts > 1) return { status: 400, reason: "more than one Host" };
  if (!hostSyntax.test(fields.host)) return { status: 400, reason: "malformed Host" };
  if (fields.chunked && fields.contentLength >= 0)
    return { status: 400, reason: "both Content-Length and Transfer-Encoding" };
  if (fields.chunked && minorVersion === 0) return { status: 400, reason: "Transfer-Encoding in HTTP/1.0" };
  if (fields.expect !== "" && fields.expect !== "100-continue") return { status: 417, reason: "unknown expectation" };
  return undefined;
}

function assemble(
  head: string,
  lineEnd: number,
  method: string,
  target: string,
  minorVersion: 0 | 1,
  fields: HeaderFields,
): RequestHead | Refusal {
  let authority = fields.host;
  let origin = target;
  if (target.charCodeAt(0) !== 47 && !(target === "*" && method === "OPTIONS")) {
    // RFC 9112 3.2.2: the authority of an absolute target replaces Host.
    const [, named, rest = "/"] = absoluteForm.exec(target) ?? [];
    if (named === undefined || !hostSyntax.test(named)) return { status: 400, reason: "malformed request target" };
    authority = named;
    origin = rest.startsWith("/") ? rest : `/${rest}`;
  }
  const query = origin.indexOf("?");
  const bodyLength = fields.chunked ? -1 : Math.max(fields.contentLength, 0);
  const lines = withoutRemovals(head, lineEnd + 2, head.length - 2, fields.removals);
  return {
    method,
    target: origin,
    path: query < 0 ? origin : origin.slice(0, query),
    authority,
    minorVersion,
    bodyLength,
    keepAlive: wantsKeepAlive(fields.connection, minorVersion),
    upgrade: upgradeOf(fields, minorVersion, bodyLength),
    expectsContinue: fields.expect !== "" && minorVersion === 1,
    lines: authority === fields.host ? lines : replaceHost(lines, authority),
    forwardedFor: fields.forwardedFor,
    forwardedProto: fields.forwardedProto,
    forwardedHost: fields.forwardedHost,
    requestId: fields.requestId,
  };
}

export function wantsKeepAlive(connection: readonly string[], minorVersion: number): boolean {
  if (connection.includes("close")) return false;
  return minorVersion === 1 || connection.includes("keep-alive");
}

/** h2c is not tunnelled: behind an upgraded connection requests would pass that nobody here has looked at. */
function upgradeOf(fields: HeaderFields, minorVersion: number, bodyLength: number): string {
  if (fields.upgrade === "" || minorVersion === 0 || bodyLength !== 0) return "";
  if (!fields.connection.includes("upgrade") || /\bh2c\b/i.test(fields.upgrade)) return "";
  return fields.upgrade;
}

function replaceHost(lines: string, authority: string): string {
  return lines.replace(/(^|\r\n)host:[^\r]*/i, `$1Host: ${authority.replaceAll("$", "$$$$")}`);
}

const idempotentMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** RFC 9110 9.2.2; a body would have to be kept to be sent again. */
export function isReplayable(head: RequestHead): boolean {
  return head.bodyLength === 0 && idempotentMethods.has(head.method);
}

/** For request ids of clients: what may stand in a header and a log line. */
export function isPlainToken(text: string): boolean {
  if (text.length === 0 || text.length > 128) return false;
  for (let i = 0; i < text.length; i++) if (!isTokenCode(text.charCodeAt(i))) return false;
  return true;
}
