/**
 * Name patterns of deployment branches and tags, as GitHub matches them: `*` any characters but `/`, `?` one of these,
 * `[a-z]` and `[!a-z]` one character, `\` takes the next literally, and a part that is `**` any number of parts.
 *
 * Not the patterns of `on: push` (see `glob.ts`), where `?` and `+` repeat what stands before them. Each part is matched
 * in time of at most its length × the length of the name's part.
 */

/** Whether the pattern matches all of the name. */
export function matchesRefPattern(pattern: string, name: string): boolean {
  return matchesParts(pattern.split("/"), name.split("/"));
}

function matchesParts(pattern: readonly string[], parts: readonly string[]): boolean {
  // reachable[i]: the pattern so far matches the first i parts.
  let reachable = parts.map(() => false).concat(false);
  reachable[0] = true;
  for (const [at, piece] of pattern.entries()) {
    const next = reachable.map(() => false);
    const deep = piece === "**" && at < pattern.length - 1;
    for (let i = 0, open = false; i <= parts.length; i++) {
      if (deep) {
        open ||= reachable[i] === true;
        next[i] = open;
      } else if (i > 0) {
        next[i] = reachable[i - 1] === true && matchesPart(tokens(piece), Array.from(parts[i - 1] ?? ""));
      }
    }
    reachable = next;
  }
  return reachable[parts.length] === true;
}

type Token = "any" | ((character: string) => boolean);

function tokens(text: string): readonly Token[] {
  const characters = Array.from(text);
  const found: Token[] = [];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? "";
    if (character === "*") found.push("any");
    else if (character === "?") found.push(() => true);
    else if (character === "\\" && i + 1 < characters.length) {
      i += 1;
      found.push(same(characters[i] ?? ""));
    } else {
      const close = character === "[" ? characters.indexOf("]", i + 2) : -1;
      if (close < 0) found.push(same(character));
      else {
        found.push(oneOf(characters.slice(i + 1, close)));
        i = close;
      }
    }
  }
  return found;
}

function same(wanted: string): (character: string) => boolean {
  return (character) => character === wanted;
}

function oneOf(members: readonly string[]): (character: string) => boolean {
  const negated = members[0] === "!" || members[0] === "^";
  const listed = negated ? members.slice(1) : members;
  return (character) => isListed(listed, character) !== negated;
}

function isListed(members: readonly string[], character: string): boolean {
  for (let i = 0; i < members.length; i++) {
    const from = members[i] ?? "";
    const to = members[i + 1] === "-" ? members[i + 2] : undefined;
    if (to === undefined) {
      if (character === from) return true;
      continue;
    }
    if (character >= from && character <= to) return true;
    i += 2;
  }
  return false;
}

/** The usual way with `*`: on a mismatch the last one takes one character more. */
function matchesPart(pattern: readonly Token[], text: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let i = 0; i < text.length;) {
    const token = pattern[at];
    if (token === "any") {
      star = at++;
      resume = i;
    } else if (token?.(text[i] ?? "") === true) {
      at += 1;
      i += 1;
    } else if (star >= 0) {
      at = star + 1;
      i = ++resume;
    } else return false;
  }
  while (pattern[at] === "any") at += 1;
  return at === pattern.length;
}
