import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyMeter } from "./body-meter.ts";
import { HeadScanner, needMore, refused } from "./head-scanner.ts";
import { readRequestHead, type RequestHead } from "./request-head.ts";
import { readResponseHead, responseFraming, stripInPlace } from "./response-head.ts";

const limits = { maxHeadBytes: 400, maxHeaders: 6 };
const get = "GET / HTTP/1.1\r\nHost: a\r\n";

/** Status of the refusal, or the head. */
function read(text: string): RequestHead | number {
  const scanner = new HeadScanner(limits);
  const end = scanner.scan(Buffer.from(text, "latin1"), 0);
  if (end === refused) return scanner.refusal.status;
  assert.notEqual(end, needMore, "the head has no end");
  const head = readRequestHead(scanner.head.toString("latin1", scanner.start, scanner.end));
  return "reason" in head ? head.status : head;
}

const refusals: [rule: string, status: number, text: string][] = [
  ["both Content-Length and Transfer-Encoding", 400, `${get}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ["a second Content-Length", 400, `${get}Content-Length: 3\r\nContent-Length: 4\r\n\r\n`],
  ["a second Content-Length of the same value", 400, `${get}Content-Length: 3\r\nContent-Length: 3\r\n\r\n`],
  ["a list of Content-Lengths", 400, `${get}Content-Length: 3, 3\r\n\r\n`],
  ["a sign before Content-Length", 400, `${get}Content-Length: +3\r\n\r\n`],
  ["a negative Content-Length", 400, `${get}Content-Length: -3\r\n\r\n`],
  ["an empty Content-Length", 400, `${get}Content-Length:\r\n\r\n`],
  ["a Content-Length beyond whole numbers", 400, `${get}Content-Length: 9999999999999999\r\n\r\n`],
  ["a folded line", 400, `${get}X: a\r\n b\r\n\r\n`],
  ["a line that ends with LF only", 400, `GET / HTTP/1.1\nHost: a\r\n\r\n`],
  ["a head that ends with LF only", 400, `${get}\n`],
  ["a CR inside a value", 400, `${get}X: a\rb\r\n\r\n`],
  ["a NUL", 400, `${get}X: a\0b\r\n\r\n`],
  ["another control character", 400, `${get}X: a\x01b\r\n\r\n`],
  ["a blank before the colon", 400, `${get}Content-Length : 3\r\n\r\n`],
  ["a header without a name", 400, `${get}: x\r\n\r\n`],
  ["a header without a colon", 400, `${get}nonsense\r\n\r\n`],
  ["a header name that is no token", 400, `${get}X(y): 1\r\n\r\n`],
  ["a missing Host", 400, "GET / HTTP/1.1\r\n\r\n"],
  ["a missing Host in HTTP/1.0, since it says where to route", 400, "GET / HTTP/1.0\r\n\r\n"],
  ["a second Host", 400, `${get}Host: b\r\n\r\n`],
  ["a list of hosts", 400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"],
  ["user information in Host", 400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"],
  ["an empty Host", 400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"],
  ["a Transfer-Encoding other than chunked", 501, `${get}Transfer-Encoding: gzip\r\n\r\n`],
  ["a list of Transfer-Encodings", 501, `${get}Transfer-Encoding: gzip, chunked\r\n\r\n`],
  ["a disguised chunked", 501, `${get}Transfer-Encoding: xchunked\r\n\r\n`],
  ["a second Transfer-Encoding", 400, `${get}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ["Transfer-Encoding in HTTP/1.0", 400, "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["two blanks in the request line", 400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a request line of HTTP/0.9", 400, "GET /\r\nHost: a\r\n\r\n"],
  ["a version in lower case", 400, "GET / http/1.1\r\nHost: a\r\n\r\n"],
  ["HTTP/2.0 in text", 505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"],
  ["a target that is neither path nor URL", 400, "GET x HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["CONNECT", 405, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["an unknown expectation", 417, `${get}Expect: tea\r\n\r\n`],
  ["a second empty line before the request", 400, `\r\n\r\n${get}\r\n`],
  ["a TLS hello", 400, "\x16\x03\x01\x02\x00\x01"],
  ["a head that is too large", 431, `${get}X: ${"x".repeat(400)}\r\n\r\n`],
  ["too many headers", 431, `${get}${"X: y\r\n".repeat(7)}\r\n`],
];

for (const [rule, status, text] of refusals)
  test(`a request with ${rule} is refused with ${status}`, () => assert.equal(read(text), status));

const accepted: [rule: string, text: string, want: Partial<RequestHead>][] = [
  [
    "one empty line before the request",
    `\r\n${get}\r\n`,
    { method: "GET", target: "/", keepAlive: true, bodyLength: 0 },
  ],
  [
    "a path and a query",
    "GET /a/b?c=/d HTTP/1.1\r\nHost: a:1\r\n\r\n",
    { path: "/a/b", target: "/a/b?c=/d", authority: "a:1" },
  ],
  [
    "a URL as target, whose host counts",
    "GET http://B:8/c?d HTTP/1.1\r\nHost: a\r\n\r\n",
    { authority: "B:8", target: "/c?d", lines: "Host: B:8\r\n" },
  ],
  ["a URL without a path", "GET http://b?d HTTP/1.1\r\nHost: a\r\n\r\n", { authority: "b", target: "/?d" }],
  ["OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", { target: "*" }],
  ["a chunked body", `${get}Transfer-Encoding: Chunked\r\n\r\n`, { bodyLength: -1 }],
  ["blanks around a Content-Length", `${get}Content-Length: \t 12 \r\n\r\n`, { bodyLength: 12 }],
  ["Connection: close", `${get}Connection: Close\r\n\r\n`, { keepAlive: false, lines: "Host: a\r\n" }],
  ["HTTP/1.0, which closes by default", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", { keepAlive: false, minorVersion: 0 }],
  ["HTTP/1.0 that keeps alive", "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", { keepAlive: true }],
  [
    "headers that end at this hop",
    `${get}Keep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: x\r\nX: y\r\n\r\n`,
    { lines: "Host: a\r\nX: y\r\n" },
  ],
  [
    "headers that Connection names",
    `${get}Connection: foo, Host, close\r\nFoo: 1\r\nX: y\r\n\r\n`,
    { lines: "Host: a\r\nX: y\r\n", keepAlive: false },
  ],
  [
    "forwarding headers of its own",
    `${get}X-Forwarded-For: 1\r\nx-forwarded-for: 2\r\nX-Request-ID: q\r\n\r\n`,
    { lines: "Host: a\r\n", forwardedFor: "1, 2", requestId: "q" },
  ],
  [
    "a WebSocket upgrade",
    `${get}Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    { upgrade: "websocket", lines: "Host: a\r\n" },
  ],
  ["an upgrade that Connection does not name", `${get}Upgrade: websocket\r\n\r\n`, { upgrade: "" }],
  [
    "an upgrade to h2c, which is not passed on",
    `${get}Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n`,
    { upgrade: "", lines: "Host: a\r\n" },
  ],
  ["bytes above 0x7f in a value", `${get}X: \xe9\r\n\r\n`, { lines: "Host: a\r\nX: \xe9\r\n" }],
];

for (const [rule, text, want] of accepted)
  test(`a request with ${rule} is accepted`, () => {
    const head = read(text);
    assert.ok(typeof head === "object", `refused with ${typeof head === "number" ? head : 0}`);
    assert.deepEqual({ ...head, ...want }, head);
  });

const chunkedBodies: [rule: string, body: string, whole: boolean][] = [
  ["data and an end", "5\r\nhello\r\n0\r\n\r\n", true],
  ["an extension", "5;a=b\r\nhello\r\n0\r\n\r\n", true],
  ["trailers", "0\r\nX-Sum: 1\r\nY: 2\r\n\r\n", true],
  ["a size in capitals with zeros before it", "00A\r\n0123456789\r\n0\r\n\r\n", true],
  ["no size", "\r\nhello", false],
  ["a size that is no hexadecimal number", "5x\r\nhello", false],
  ["a sign before the size", "+5\r\nhello", false],
  ["0x before the size", "0x5\r\nhello", false],
  ["a blank behind the size", "5 \r\nhello", false],
  ["LF only behind the size", "5\nhello", false],
  ["a size beyond whole numbers", "fffffffffffffff\r\n", false],
  ["data longer than its size", "5\r\nhello!\r\n0\r\n\r\n", false],
  ["LF only behind the data", "5\r\nhello\n0\r\n\r\n", false],
  ["a LF inside an extension", "5;a\nb\r\nhello", false],
  ["a folded trailer", "0\r\nX: 1\r\n y\r\n\r\n", false],
  ["a trailer without a colon", "0\r\nnonsense\r\n\r\n", false],
];

for (const [rule, body, whole] of chunkedBodies)
  test(`a chunked body with ${rule} is ${whole ? "followed to its end" : "refused"}`, () => {
    const bytes = Buffer.from(`${body}${whole ? "GET next" : ""}`);
    assert.equal(new BodyMeter("chunked").measure(bytes, 0), whole ? body.length : -2);
  });

function response(lines: string): ReturnType<typeof readResponseHead> {
  return readResponseHead(`${lines}\r\n\r\n`);
}

test("a body's end follows from method, status and headers, in this order", () => {
  const framing = (method: string, lines: string): string => {
    const head = response(lines);
    return "reason" in head ? `refused ${head.status}` : responseFraming(method, head);
  };
  assert.equal(framing("GET", "HTTP/1.1 200 OK\r\nContent-Length: 3"), "length");
  assert.equal(framing("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0"), "none");
  assert.equal(framing("GET", "HTTP/1.1 200\r\nTransfer-Encoding: chunked"), "chunked");
  assert.equal(framing("GET", "HTTP/1.0 200 OK\r\nX: y"), "close");
  assert.equal(framing("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3"), "none");
  assert.equal(framing("GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked"), "none");
  assert.equal(framing("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3"), "none");
  assert.equal(framing("GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked"), "refused 502");
  assert.equal(framing("GET", "HTTP/1.1 099 Odd\r\nX: y"), "refused 502");
  assert.equal(framing("GET", "SSH-2.0-OpenSSH\r\nX: y"), "refused 502");
});

test("lines that end at this hop are cut from a response without copying its body", () => {
  const text = "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nX: y\r\nKeep-Alive: timeout=5\r\nZ: z\r\n\r\n";
  const head = readResponseHead(text);
  assert.ok(!("reason" in head));
  const buffer = Buffer.from(`..${text}body`);
  const start = stripInPlace(buffer, 2, head.removals);
  assert.equal(buffer.toString("latin1", start), "HTTP/1.1 200 OK\r\nX: y\r\nZ: z\r\n\r\nbody");
});
