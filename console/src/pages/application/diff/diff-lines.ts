/**
 * What differs between two texts, line by line: Myers' greedy algorithm on what is left between the equal beginning
 * and the equal end. Pure and bounded: texts further apart than `maxDistance` edits are shown as replaced whole.
 */

export interface DiffLine {
  readonly kind: "same" | "drop" | "add";
  /** Line numbers, from 1, on the side that has the line. */
  readonly live?: number;
  readonly target?: number;
  readonly text: string;
}

const maxDistance = 1500;

export function diffLines(live: string, target: string): DiffLine[] {
  const a = linesOf(live);
  const b = linesOf(target);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const kept = keptPairs(a.slice(start, a.length - end), b.slice(start, b.length - end));
  const pairs: [number, number][] = [];
  for (let at = 0; at < start; at++) pairs.push([at, at]);
  for (const [x, y] of kept) pairs.push([x + start, y + start]);
  for (let at = end; at > 0; at--) pairs.push([a.length - at, b.length - at]);
  return linesFrom(a, b, pairs);
}

function linesOf(text: string): string[] {
  if (text === "") return [];
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

/** Pairs of equal lines, ascending, as many as the shortest edit leaves. */
function keptPairs(a: readonly string[], b: readonly string[]): [number, number][] {
  const most = Math.min(a.length + b.length, maxDistance);
  const trace: Int32Array[] = [];
  /** `reach[k + most]`: how far along `a` one gets on diagonal `k = x - y`. */
  const reach = new Int32Array(2 * most + 2);
  for (let distance = 0; distance <= most; distance++) {
    trace.push(reach.slice(most - distance, most + distance + 2));
    for (let k = -distance; k <= distance; k += 2) {
      let x = step(reach, most, k, distance);
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach[k + most] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(trace, a.length, b.length);
    }
  }
  return [];
}

/** Down (a line of `b` added) or right (a line of `a` dropped), whichever came further. */
function step(reach: Int32Array, offset: number, k: number, distance: number): number {
  const down = reach[k + 1 + offset] ?? 0;
  const right = (reach[k - 1 + offset] ?? 0) + 1;
  return k === -distance || (k !== distance && right - 1 < down) ? down : right;
}

function walkBack(trace: readonly Int32Array[], endX: number, endY: number): [number, number][] {
  const pairs: [number, number][] = [];
  let x = endX;
  let y = endY;
  for (let distance = trace.length - 1; distance >= 0; distance--) {
    const reach = trace[distance] ?? new Int32Array(0);
    const k = x - y;
    const down = k === -distance || (k !== distance && (reach[k - 1 + distance] ?? 0) < (reach[k + 1 + distance] ?? 0));
    const before = down ? k + 1 : k - 1;
    const beforeX = distance === 0 ? 0 : (reach[before + distance] ?? 0);
    const beforeY = distance === 0 ? 0 : beforeX - before;
    while (x > beforeX && y > beforeY) pairs.push([--x, --y]);
    x = beforeX;
    y = beforeY;
  }
  return pairs.reverse();
}

function linesFrom(a: readonly string[], b: readonly string[], pairs: readonly [number, number][]): DiffLine[] {
  const result: DiffLine[] = [];
  let x = 0;
  let y = 0;
  for (const [nextX, nextY] of [...pairs, [a.length, b.length] as const]) {
    for (; x < nextX; x++) result.push({ kind: "drop", live: x + 1, text: a[x] ?? "" });
    for (; y < nextY; y++) result.push({ kind: "add", target: y + 1, text: b[y] ?? "" });
    if (x < a.length && y < b.length) result.push({ kind: "same", live: x + 1, target: y + 1, text: a[x] ?? "" });
    x++;
    y++;
  }
  return result;
}

/** Runs of lines to show, and how many are left out between them. */
export type DiffPart =
  | { readonly kind: "lines"; readonly lines: readonly DiffLine[] }
  | { readonly kind: "gap"; readonly lines: readonly DiffLine[] };

export function withGaps(lines: readonly DiffLine[], context: number): DiffPart[] {
  const near = lines.map(() => false);
  lines.forEach(({ kind }, at) => {
    if (kind === "same") return;
    for (let by = -context; by <= context; by++) if (at + by in near) near[at + by] = true;
  });
  const parts: { kind: "lines" | "gap"; lines: DiffLine[] }[] = [];
  lines.forEach((line, at) => {
    const kind = near[at] === true ? "lines" : "gap";
    const last = parts.at(-1);
    if (last?.kind === kind) last.lines.push(line);
    else parts.push({ kind, lines: [line] });
  });
  return parts;
}

export interface DiffPair {
  readonly live?: DiffLine;
  readonly target?: DiffLine;
}

/** Dropped and added lines of one place side by side. */
export function inPairs(lines: readonly DiffLine[]): DiffPair[] {
  const pairs: DiffPair[] = [];
  let drops: DiffLine[] = [];
  let adds: DiffLine[] = [];
  function flush(): void {
    for (let at = 0; at < Math.max(drops.length, adds.length); at++) {
      const live = drops[at];
      const target = adds[at];
      pairs.push({ ...(live === undefined ? {} : { live }), ...(target === undefined ? {} : { target }) });
    }
    drops = [];
    adds = [];
  }
  for (const line of lines) {
    if (line.kind === "drop") drops.push(line);
    else if (line.kind === "add") adds.push(line);
    else {
      flush();
      pairs.push({ live: line, target: line });
    }
  }
  flush();
  return pairs;
}

/** The piece of `text` that `other` has not: from the end of what they begin with to the start of what they end with. */
export function changedRange(text: string, other: string): { readonly from: number; readonly to: number } {
  const most = Math.min(text.length, other.length);
  let from = 0;
  while (from < most && text[from] === other[from]) from++;
  let end = 0;
  while (end < most - from && text[text.length - 1 - end] === other[other.length - 1 - end]) end++;
  return { from, to: text.length - end };
}
