/**
 * GitHub's filter patterns. `*` any characters but `/`; `**` any characters; `**` and `/` any folders, none included;
 * `?` and `+` the character before them at most once, or at least once; `[abc0-9]` one of these; `\` takes the next
 * literally; `!` in front takes out what patterns before it took in.
 *
 * Matched by following all states at once, so that the time is at most length of text × length of pattern, whatever a
 * pattern from outside looks like; a regular expression would not promise that.
 */

/** Goes to `to` on a character that `takes` accepts; without `takes`, on nothing. */
interface Edge {
  readonly to: number;
  readonly takes?: (character: string) => boolean;
}

/** Whether the last pattern that matches the value is one without `!`. Patterns that only exclude match nothing. */
export function matchesPatterns(patterns: readonly string[], value: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    if (pattern.startsWith("!")) {
      if (matched && matchesGlob(pattern.slice(1), value)) matched = false;
    } else if (!matched && matchesGlob(pattern, value)) matched = true;
  }
  return matched;
}

export function matchesGlob(pattern: string, value: string): boolean {
  const states = compile(pattern);
  const last = states.length;
  let current = closure(states, [0]);
  for (const character of value) {
    const next: number[] = [];
    for (const state of current) {
      for (const edge of states[state] ?? []) if (edge.takes?.(character) === true) next.push(edge.to);
    }
    current = closure(states, next);
    if (current.size === 0) return false;
  }
  return current.has(last);
}

function closure(states: readonly (readonly Edge[])[], from: readonly number[]): ReadonlySet<number> {
  const reached = new Set<number>();
  const open = [...from];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    if (reached.has(state)) continue;
    reached.add(state);
    for (const edge of states[state] ?? []) if (edge.takes === undefined) open.push(edge.to);
  }
  return reached;
}

function any(): boolean {
  return true;
}

function notSlash(character: string): boolean {
  return character !== "/";
}

function compile(pattern: string): readonly (readonly Edge[])[] {
  const states: Edge[][] = [];
  const characters = Array.from(pattern);
  for (let i = 0; i < characters.length;) {
    const here = states.length;
    const character = characters[i];
    if (character === "*" && characters[i + 1] === "*") {
      const startsPart = i === 0 || characters[i - 1] === "/";
      while (characters[i] === "*") i += 1;
      if (characters[i] === "/" && startsPart) {
        // Any folders with their slash, or nothing: "**/a" matches "a" and "b/c/a".
        states.push([{ to: here + 2 }, { to: here + 1 }]);
        states.push([
          { to: here + 1, takes: any },
          { to: here + 2, takes: (c) => c === "/" },
        ]);
        i += 1;
      } else states.push([{ to: here, takes: any }, { to: here + 1 }]);
      continue;
    }
    if (character === "*") {
      states.push([{ to: here, takes: notSlash }, { to: here + 1 }]);
      i += 1;
      continue;
    }
    const { takes, next } = single(characters, i);
    const edges: Edge[] = [{ to: here + 1, takes }];
    if (characters[next] === "?") edges.push({ to: here + 1 });
    if (characters[next] === "+") {
      states.push(edges, [{ to: here + 1, takes }, { to: here + 2 }]);
    } else states.push(edges);
    i = characters[next] === "?" || characters[next] === "+" ? next + 1 : next;
  }
  return states;
}

/** One character, an escaped one, or a class. A `[` that is never closed is itself. */
function single(characters: readonly string[], at: number): { takes: (character: string) => boolean; next: number } {
  const character = characters[at] ?? "";
  if (character === "\\" && at + 1 < characters.length) {
    const literal = characters[at + 1];
    return { takes: (c) => c === literal, next: at + 2 };
  }
  const close = character === "[" ? characters.indexOf("]", at + 1) : -1;
  if (close < 0) return { takes: (c) => c === character, next: at + 1 };
  const inside = characters.slice(at + 1, close);
  return { takes: (c) => inClass(inside, c), next: close + 1 };
}

function inClass(members: readonly string[], character: string): boolean {
  for (let i = 0; i < members.length; i++) {
    const from = members[i] ?? "";
    const to = members[i + 1] === "-" ? members[i + 2] : undefined;
    if (to !== undefined) {
      if (character >= from && character <= to) return true;
      i += 2;
    } else if (character === from) return true;
  }
  return false;
}
