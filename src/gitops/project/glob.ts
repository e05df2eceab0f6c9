import { linearPattern } from "#lib";

/** Globs of project rules: `*` stops at `/` in repository URLs and not in names; `**`, `?`, `[…]` and `{a,b}` work too. */
export function matchesGlob(pattern: string, value: string, separator: "/" | "none"): boolean {
  const any = separator === "/" ? "[^/]*" : ".*";
  const source = pattern.replaceAll(/\*\*|\*|\?|\[[^\]]*\]|\{[^}]*\}|[\\^$.|+()[\]{}]/g, (token) => {
    if (token === "**") return ".*";
    if (token === "*") return any;
    if (token === "?") return separator === "/" ? "[^/]" : ".";
    if (token.startsWith("[") && token.length > 1) return token.replace(/^\[!/, "[^");
    if (token.startsWith("{")) return `(?:${token.slice(1, -1).split(",").map(escape).join("|")})`;
    return `\\${token}`;
  });
  try {
    return linearPattern(`^${source}$`).test(value);
  } catch {
    return false;
  }
}

function escape(text: string): string {
  return RegExp.escape(text);
}
