/**
 * Reads the header lines of a complete head (RFC 9110 5, RFC 9112 5): strict about what decides where the message ends,
 * indifferent to everything else, which is passed on as it came. Pure.
 */
import type { Refusal } from "./refusal.ts";

export type Direction = "request" | "response";

export interface HeaderFields {
  hosts: number;
  host: string;
  /** -1 when there is none. */
  contentLength: number;
  chunked: boolean;
  /** Lower-case tokens of all Connection headers. */
  connection: readonly string[];
  upgrade: string;
  expect: string;
  forwardedFor: string;
  forwardedProto: string;
  forwardedHost: string;
  requestId: string;
  /** Pairs of offsets (begin, end) of lines that must not be passed on, ascending. */
  removals: number[];
}

const CR = 13;
const COLON = 58;

/** RFC 9110 5.6.2 `tchar`. */
const tokenCharacters = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
  tokenCharacters[character.charCodeAt(0)] = 1;

export function isTokenCode(code: number): boolean {
  return tokenCharacters[code] === 1;
}

/** Control characters that no head may hold. CR only as part of CRLF; LF was checked by the scanner. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const forbidden = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)/;

export function hasForbiddenCharacters(text: string): boolean {
  return forbidden.test(text);
}

/** @param from offset of the first header line; `text` ends with the empty line */
export function readHeaderFields(text: string, from: number, direction: Direction): HeaderFields | Refusal {
  const fields: HeaderFields = emptyFields();
  let line = from;
  while (text.charCodeAt(line) !== CR) {
    const colon = endOfName(text, line);
    if (colon < 0) return { status: 400, reason: "malformed header name" };
    const end = text.indexOf("\r\n", colon);
    const problem = takeField(fields, text, line, colon, end, direction);
    if (problem !== undefined) return problem;
    line = end + 2;
  }
  removeNamedByConnection(fields, text, from);
  return fields;
}

function emptyFields(): HeaderFields {
  return {
    hosts: 0,
    host: "",
    contentLength: -1,
    chunked: false,
    connection: none,
    upgrade: "",
    expect: "",
    forwardedFor: "",
    forwardedProto: "",
    forwardedHost: "",
    requestId: "",
    removals: [],
  };
}

const none: readonly string[] = [];

/** Offset of the colon; -1 when the name is empty, holds a blank (before the colon or as a folded line) or another non-token. */
function endOfName(text: string, start: number): number {
  let at = start;
  while (tokenCharacters[text.charCodeAt(at)] === 1) at++;
  return at > start && text.charCodeAt(at) === COLON ? at : -1;
}

/** Looks at names of interesting lengths only: most headers cost one switch. */
function takeField(
  fields: HeaderFields,
  text: string,
  line: number,
  colon: number,
  end: number,
  direction: Direction,
): Refusal | undefined {
  switch (colon - line) {
    case 2:
      if (is(text, line, "te")) remove(fields, line, end);
      return undefined;
    case 4:
      if (direction === "request" && is(text, line, "host")) {
        fields.hosts++;
        fields.host = valueOf(text, colon, end);
      }
      return undefined;
    case 6:
      if (is(text, line, "expect")) fields.expect = valueOf(text, colon, end).toLowerCase();
      return undefined;
    case 7:
      if (is(text, line, "upgrade")) {
        fields.upgrade =
          fields.upgrade === "" ? valueOf(text, colon, end) : `${fields.upgrade}, ${valueOf(text, colon, end)}`;
        remove(fields, line, end);
      }
      return undefined;
    case 10:
      if (is(text, line, "connection")) {
        fields.connection = [...fields.connection, ...tokens(valueOf(text, colon, end))];
        remove(fields, line, end);
      } else if (is(text, line, "keep-alive")) remove(fields, line, end);
      return undefined;
    case 14:
      return is(text, line, "content-length") ? takeContentLength(fields, valueOf(text, colon, end)) : undefined;
    case 17:
      if (is(text, line, "transfer-encoding")) return takeTransferEncoding(fields, valueOf(text, colon, end));
      break;
    case 16:
      if (is(text, line, "proxy-connection")) remove(fields, line, end);
      break;
    default:
  }
  if (direction === "request") takeForwarded(fields, text, line, colon, end);
  return undefined;
}

function takeForwarded(fields: HeaderFields, text: string, line: number, colon: number, end: number): void {
  const length = colon - line;
  if (length === 12 && is(text, line, "x-request-id")) fields.requestId = valueOf(text, colon, end);
  else if (length === 15 && is(text, line, "x-forwarded-for")) {
    const value = valueOf(text, colon, end);
    fields.forwardedFor = fields.forwardedFor === "" ? value : `${fields.forwardedFor}, ${value}`;
  } else if (length === 17 && is(text, line, "x-forwarded-proto")) fields.forwardedProto = valueOf(text, colon, end);
  else if (length === 16 && is(text, line, "x-forwarded-host")) fields.forwardedHost = valueOf(text, colon, end);
  else return;
  remove(fields, line, end);
}

/** RFC 9112 6.3: a list, a sign or a second value may mean different lengths to different parties. */
function takeContentLength(fields: HeaderFields, value: string): Refusal | undefined {
  if (fields.contentLength >= 0) return { status: 400, reason: "more than one Content-Length" };
  if (!/^\d{1,15}$/.test(value)) return { status: 400, reason: "malformed Content-Length" };
  fields.contentLength = Number(value);
  return undefined;
}

function takeTransferEncoding(fields: HeaderFields, value: string): Refusal | undefined {
  if (fields.chunked) return { status: 400, reason: "more than one Transfer-Encoding" };
  if (value.toLowerCase() !== "chunked") return { status: 501, reason: "Transfer-Encoding other than chunked" };
  fields.chunked = true;
  return undefined;
}

/** RFC 9110 7.6.1: headers that Connection names end here too; but never those that say where the message ends. */
function removeNamedByConnection(fields: HeaderFields, text: string, from: number): void {
  const named = fields.connection.filter((token) => !staying.has(token));
  if (named.length === 0) return;
  const wanted = new Set(named);
  const removals: number[] = [];
  for (let line = from; text.charCodeAt(line) !== CR;) {
    const end = text.indexOf("\r\n", line) + 2;
    const name = text.slice(line, text.indexOf(":", line)).toLowerCase();
    if (wanted.has(name) || fields.removals.some((at, index) => index % 2 === 0 && at === line))
      removals.push(line, end);
    line = end;
  }
  fields.removals = removals;
}

const staying: ReadonlySet<string> = new Set([
  "close",
  "keep-alive",
  "upgrade",
  "host",
  "content-length",
  "transfer-encoding",
  "expect",
  "content-type",
  "",
]);

function remove(fields: HeaderFields, line: number, end: number): void {
  fields.removals.push(line, end + 2);
}

/** @param name lower case, as long as the name in the text */
function is(text: string, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if ((text.charCodeAt(start + i) | 0x20) !== name.charCodeAt(i)) return false;
  return true;
}

function valueOf(text: string, colon: number, end: number): string {
  return text.slice(colon + 1, end).replace(/^[ \t]+|[ \t]+$/g, "");
}

function tokens(value: string): readonly string[] {
  return value
    .toLowerCase()
    .split(",")
    .map((token) => token.trim());
}

/** The text from `from` to `to` without the removed lines. */
export function withoutRemovals(text: string, from: number, to: number, removals: readonly number[]): string {
  let kept = "";
  let at = from;
  for (let i = 0; i + 1 < removals.length; i += 2) {
    kept += text.slice(at, removals[i]);
    at = removals[i + 1] ?? to;
  }
  return kept + text.slice(at, to);
}
