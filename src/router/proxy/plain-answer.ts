/** Answers of the router itself: short, plain, and without anything about the inside. */
import { STATUS_CODES } from "node:http";

/** A whole response. HEAD requests get the same head without the body. */
export function plainAnswer(status: number, reason: string, options: { head: boolean; close: boolean }): string {
  const body = `${status} ${STATUS_CODES[status] ?? "Error"}: ${reason}\n`;
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Error"}`,
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Cache-Control: no-store",
    ...(status === 503 ? ["Retry-After: 1"] : []),
    `Connection: ${options.close ? "close" : "keep-alive"}`,
    "",
    options.head ? "" : body,
  ].join("\r\n");
}
