/** `Name: value` lines at the end of a commit message, as `git interpret-trailers` reads them. */
export function readTrailers(message: string): ReadonlyMap<string, string> {
  const last =
    message
      .trimEnd()
      .split(/\n\s*\n/)
      .at(-1) ?? "";
  const lines = last.split("\n");
  const pairs = lines.map((line) => /^([A-Za-z][\w-]*):\s+(.*)$/.exec(line));
  // A paragraph is one of trailers only when all of its lines are; a title like "fix: x" alone is no trailer.
  if (message.trimEnd() === last || pairs.some((pair) => pair === null)) return new Map();
  return new Map(pairs.map((pair) => [pair?.[1] ?? "", pair?.[2] ?? ""]));
}
