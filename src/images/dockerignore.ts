/** `.dockerignore`: Docker's pattern rules (Go's filepath.Match plus `**`, `!` re-includes, the last match wins). */

interface IgnorePattern {
  readonly negated: boolean;
  readonly expression: RegExp;
}

export interface IgnoreRules {
  /** Whether `path` (relative, `/`-separated) is left out of the context. */
  ignores(path: string): boolean;
  /** Whether nothing below the ignored folder `path` can come back, so that it need not be read. */
  prunes(path: string): boolean;
}

export function parseIgnoreFile(text: string): IgnoreRules {
  const patterns: IgnorePattern[] = [];
  for (const raw of text.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    if (raw.startsWith("#")) continue;
    const line = raw.trim();
    if (line === "") continue;
    const negated = line.startsWith("!");
    const cleaned = cleanPattern(negated ? line.slice(1).trim() : line);
    if (cleaned === "") continue;
    patterns.push({ negated, expression: globExpression(cleaned) });
  }
  return rulesOf(patterns);
}

/** Rules from bare patterns, as `COPY --exclude` gives them. */
export function ignoreRules(patterns: readonly string[]): IgnoreRules {
  return parseIgnoreFile(patterns.join("\n"));
}

function rulesOf(patterns: readonly IgnorePattern[]): IgnoreRules {
  const anyNegated = patterns.some((pattern) => pattern.negated);
  function ignores(path: string): boolean {
    let ignored = false;
    for (const { negated, expression } of patterns) {
      if (ignored !== negated) continue;
      if (matchesPathOrParent(expression, path)) ignored = !negated;
    }
    return ignored;
  }
  return { ignores, prunes: (path) => !anyNegated && ignores(path) };
}

/** A pattern that names a folder covers everything below it. */
function matchesPathOrParent(expression: RegExp, path: string): boolean {
  for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) {
    if (expression.test(path.slice(0, end))) return true;
  }
  return expression.test(path);
}

function cleanPattern(pattern: string): string {
  const parts: string[] = [];
  for (const part of pattern.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}

/** A Go glob as an anchored expression; `**` crosses slashes, `*` and `?` do not. */
export function globExpression(pattern: string): RegExp {
  let out = "";
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] ?? "";
    if (char === "*" && pattern[at + 1] === "*") {
      at++;
      if (pattern[at + 1] === "/") {
        out += "(?:.*/)?";
        at++;
      } else out += ".*";
    } else if (char === "*") out += "[^/]*";
    else if (char === "?") out += "[^/]";
    else if (char === "[") {
      const close = pattern.indexOf("]", at + 2);
      if (close === -1) out += "\\[";
      else {
        const inside = pattern.slice(at + 1, close).replaceAll("\\", "\\\\");
        out += `[${inside}]`;
        at = close;
      }
    } else if (char === "\\" && at + 1 < pattern.length) out += literal(pattern[++at] ?? "");
    else out += literal(char);
  }
  try {
    return new RegExp(`^${out}$`, "s");
  } catch {
    // A character class that no expression can hold, such as [z-a]: then the text is taken literally.
    return new RegExp(`^${Array.from(pattern, literal).join("")}$`, "s");
  }
}

function literal(char: string): string {
  return /[\w/]/.test(char) ? char : `\\${char}`;
}
