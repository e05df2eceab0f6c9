/** An HTTP GET of a container, for probes and hooks, with kubelet's headers, redirects and words. */
import { type IncomingMessage, type OutgoingHttpHeaders, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { errorMessage } from "#lib";
import { connectionText } from "./connection-text.ts";
import { failed, type HttpLook, type ProbeResult, type ProbeTarget } from "./probe-target.ts";

const maxRedirects = 10;
const maxBody = 10 * 1024;

/**
 * Any answer from 200 to 399 will do. A redirect is followed as long as it stays on the host that was asked; one that
 * leads elsewhere is a success with a warning, since whoever sent it works.
 */
export async function lookHttp(look: HttpLook, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const first = lookUrl(look, target);
  if (first === undefined) return failed(`couldn't find port: ${look.port}`);
  const headers = lookHeaders(look, "probe");
  let url = first;
  for (let hops = 0; ; hops++) {
    let answer: Answer;
    try {
      answer = await get(url, headers, signal);
    } catch (error) {
      const late = signal.aborted
        ? "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        : connectionText(error, url.hostname, Number(url.port));
      return failed(`Get "${url.href}": ${late}`);
    }
    const next = answer.location === undefined ? undefined : URL.parse(answer.location, url.href);
    if (isRedirect(answer.status) && next?.hostname === first.hostname) {
      if (hops + 1 >= maxRedirects) return failed(`Get "${next.href}": stopped after ${maxRedirects} redirects`);
      url = next;
      continue;
    }
    return verdict(answer);
  }
}

/** A hook's request: reaching the container is all that is asked, whatever it answers. */
export async function callHttp(look: HttpLook, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const url = lookUrl(look, target);
  if (url === undefined) return failed(`couldn't find port: ${look.port}`);
  try {
    await get(url, lookHeaders(look, "lifecycle"), signal);
    return { ok: true };
  } catch (error) {
    return failed(errorMessage(error));
  }
}

function lookUrl(look: HttpLook, target: ProbeTarget): URL | undefined {
  const port = target.port(look.port);
  if (port === undefined) return undefined;
  const host = look.host === undefined || look.host === "" ? target.host : look.host;
  const scheme = look.scheme === "HTTPS" ? "https" : "http";
  const path = look.path ?? "/";
  const origin = `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return URL.parse(`${origin}${path.startsWith("/") ? path : `/${path}`}`) ?? new URL(origin);
}

function lookHeaders(look: HttpLook, fragment: string): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (const { name, value } of look.httpHeaders ?? []) {
    const key = name.toLowerCase();
    const before = headers[key];
    // Of these a request has one at most.
    if (before === undefined || key === "host" || key === "user-agent") headers[key] = value;
    else headers[key] = [before, value].flat().map(String);
  }
  headers["user-agent"] ??= `kube-${fragment}/1.33`;
  if (headers["accept"] === undefined) headers["accept"] = "*/*";
  else if (headers["accept"] === "") delete headers["accept"];
  return headers;
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

async function get(url: URL, headers: OutgoingHttpHeaders, signal: AbortSignal): Promise<Answer> {
  const options = { headers, signal, agent: false as const, maxHeaderSize: 16 * 1024 };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    // A container's own certificate is what it is: reaching it is what is asked.
    const request =
      url.protocol === "https:"
        ? httpsRequest(url, { ...options, rejectUnauthorized: false })
        : httpRequest(url, options);
    request.once("response", resolve);
    request.once("error", reject);
    request.end();
  });
  const status = response.statusCode ?? 0;
  const body = isRedirect(status) ? await beginning(response) : "";
  response.destroy();
  return { status, location: response.headers.location, body };
}

async function beginning(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response) {
    text += String(chunk);
    if (text.length >= maxBody) break;
  }
  return text.slice(0, maxBody);
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

function verdict({ status, body }: Answer): ProbeResult {
  if (isRedirect(status)) return { ok: true, warning: `Probe terminated redirects, Response body: ${body}` };
  // Never with the body: it may hold what events must not.
  return status >= 200 && status < 300 ? { ok: true } : failed(`HTTP probe failed with statuscode: ${status}`);
}
