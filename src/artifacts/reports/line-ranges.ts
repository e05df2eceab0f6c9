/** Sets of line numbers as `1-5,9`. Pure. */

const maxLine = 5_000_000;
const maxLines = 2_000_000;

/** Undefined for what is no such text. */
export function parseLines(text: string): Set<number> | undefined {
  const lines = new Set<number>();
  if (text === "") return lines;
  for (const part of text.split(",")) {
    const [, first, last = first] = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(part) ?? [];
    if (first === undefined || last === undefined) return undefined;
    const [from, to] = [Number(first), Number(last)];
    if (from < 1 || to < from || to > maxLine || lines.size + to - from >= maxLines) return undefined;
    for (let line = from; line <= to; line++) lines.add(line);
  }
  return lines;
}
