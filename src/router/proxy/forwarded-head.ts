/** The request head as the backend gets it. Pure. */
import { isPlainToken, type RequestHead } from "../http/request-head.ts";

export interface ForwardingContext {
  /** Address of the client. */
  readonly peer: string;
  readonly trustForwarded: boolean;
  /** For requests that bring none. */
  readonly newRequestId: () => string;
}

/**
 * Hop-by-hop lines are gone already. X-Forwarded-* of a client are kept only when it is trusted, since backends decide
 * about access by them.
 */
export function forwardedHead(head: RequestHead, context: ForwardingContext): string {
  const { trustForwarded, peer } = context;
  const forwardedFor = trustForwarded && head.forwardedFor !== "" ? `${head.forwardedFor}, ${peer}` : peer;
  const proto = trustForwarded && head.forwardedProto !== "" ? head.forwardedProto : "http";
  const host = trustForwarded && head.forwardedHost !== "" ? head.forwardedHost : head.authority;
  const id = isPlainToken(head.requestId) ? head.requestId : context.newRequestId();
  const upgrade = head.upgrade === "" ? "" : `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  return (
    `${head.method} ${head.target} HTTP/1.1\r\n${head.lines}` +
    `X-Forwarded-For: ${forwardedFor}\r\nX-Forwarded-Proto: ${proto}\r\nX-Forwarded-Host: ${host}\r\n` +
    `X-Request-Id: ${id}\r\n${upgrade}\r\n`
  );
}
