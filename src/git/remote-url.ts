/** URLs of remote repositories as people write them. Pure. */
import { GitError } from "./errors.ts";

export interface RemoteUrl {
  /** Without credentials: safe to log and to pass to a process. */
  readonly url: string;
  /** Value of an Authorization header that the URL's credentials make. */
  readonly authorization: string | undefined;
}

const protocols: ReadonlySet<string> = new Set(["http:", "https:", "file:"]);

/** Throws `git/bad-request`; the message never has the URL's password. */
export function parseRemoteUrl(text: string): RemoteUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !protocols.has(url.protocol)) {
    const found = url === undefined ? "it is not a URL" : `its protocol is "${url.protocol}"`;
    throw new GitError("git/bad-request", `Cannot read a remote repository: ${found}; use http, https or file`);
  }
  if (url.protocol === "file:") return { url: `file://${decodeURIComponent(url.pathname)}`, authorization: undefined };
  const { username, password } = url;
  url.username = "";
  url.password = "";
  url.hash = "";
  if (username === "" && password === "") return { url: url.href, authorization: undefined };
  return {
    url: url.href,
    authorization: basicAuthorization(decodeURIComponent(username), decodeURIComponent(password)),
  };
}

export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
