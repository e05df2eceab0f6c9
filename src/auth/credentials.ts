/** The secret in an HTTP Authorization header, or undefined. Basic carries it as the password, as git and docker do. */
export function secretOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length > 8192) return undefined;
  const [scheme, value] = splitOnce(authorization.trim(), " ");
  if (value === undefined) return undefined;
  switch (scheme.toLowerCase()) {
    case "bearer":
    case "token":
      return value.trim();
    case "basic":
      return splitOnce(Buffer.from(value.trim(), "base64").toString("utf8"), ":")[1];
    default:
      return undefined;
  }
}

/** The value of one cookie of a Cookie header. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  for (const part of (header ?? "").slice(0, 8192).split(";")) {
    const [key, value] = splitOnce(part.trim(), "=");
    if (key === name) return value;
  }
  return undefined;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
