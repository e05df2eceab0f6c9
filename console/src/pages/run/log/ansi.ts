/**
 * Colours in log lines. Each line stands for itself, as on every forge: what a line sets does not reach the next one.
 * Knows SGR; every other control sequence is left out. Pure and bounded: a line has at most `maxSpans` pieces, after
 * which its rest is plain.
 */

/** `fg` and `bg` are a palette index as text (`"1"`, `"9"`) or a CSS colour. */
export interface AnsiSpan {
  readonly text: string;
  readonly fg?: string;
  readonly bg?: string;
  readonly bold?: true;
  readonly dim?: true;
  readonly italic?: true;
  readonly underline?: true;
}

type Style = Omit<AnsiSpan, "text">;

const maxSpans = 300;
/** CSI sequences, OSC sequences (links, titles) with their terminator, and lone escapes. */
const escapes =
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  /\x1b\[([\d;:?]*)([\x20-\x2f]*[\x40-\x7e])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\^_]?|[\x00-\x08\x0b-\x1a\x7f]/g;

export function parseAnsi(line: string): AnsiSpan[] {
  if (!line.includes("\u001b")) return line === "" ? [] : [{ text: plainText(line) }];
  const spans: AnsiSpan[] = [];
  let style: Style = {};
  let from = 0;
  for (const match of line.matchAll(escapes)) {
    if (match.index > from) spans.push({ ...style, text: line.slice(from, match.index) });
    from = match.index + match[0].length;
    if (spans.length >= maxSpans) {
      style = {};
      break;
    }
    if (match[2] === "m") style = applied(style, match[1] ?? "");
  }
  if (from < line.length) spans.push({ ...style, text: plainText(line.slice(from)) });
  return spans;
}

/** The line without control sequences: what is searched and copied. */
export function plainText(line: string): string {
  return line.replace(escapes, "");
}

function applied(style: Style, parameters: string): Style {
  const codes = parameters.split(/[;:]/).map((code) => (code === "" ? 0 : Number(code)));
  let result = style;
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0;
    if (code === 38 || code === 48) {
      const { colour, used } = extendedColour(codes, at + 1);
      at += used;
      if (colour !== undefined) result = code === 38 ? withFg(result, colour) : withBg(result, colour);
    } else result = withCode(result, code);
  }
  return result;
}

function withCode(style: Style, code: number): Style {
  if (code >= 30 && code <= 37) return withFg(style, String(code - 30));
  if (code >= 40 && code <= 47) return withBg(style, String(code - 40));
  if (code >= 90 && code <= 97) return withFg(style, String(code - 82));
  if (code >= 100 && code <= 107) return withBg(style, String(code - 92));
  switch (code) {
    case 0:
      return {};
    case 1:
      return { ...style, bold: true };
    case 2:
      return { ...style, dim: true };
    case 3:
      return { ...style, italic: true };
    case 4:
      return { ...style, underline: true };
    case 22:
      return without(style, "bold", "dim");
    case 23:
      return without(style, "italic");
    case 24:
      return without(style, "underline");
    case 39:
      return without(style, "fg");
    case 49:
      return without(style, "bg");
    default:
      return style;
  }
}

function withFg(style: Style, fg: string): Style {
  return { ...style, fg };
}

function withBg(style: Style, bg: string): Style {
  return { ...style, bg };
}

function without(style: Style, ...names: (keyof Style)[]): Style {
  return Object.fromEntries(Object.entries(style).filter(([name]) => !names.includes(name as keyof Style)));
}

/** `5;n` of 256 colours or `2;r;g;b`. */
function extendedColour(codes: readonly number[], at: number): { colour?: string; used: number } {
  if (codes[at] === 5) {
    const colour = indexedColour(codes[at + 1] ?? 0);
    return colour === undefined ? { used: 2 } : { colour, used: 2 };
  }
  if (codes[at] !== 2) return { used: 0 };
  const [r = 0, g = 0, b = 0] = codes.slice(at + 1, at + 4).map((part) => Math.min(255, Math.max(0, part)));
  return { colour: `rgb(${r} ${g} ${b})`, used: 4 };
}

/** 0 to 15 are the palette, 16 to 231 a cube of six steps a side, 232 to 255 greys: 196 is `rgb(255 0 0)`. */
function indexedColour(index: number): string | undefined {
  if (!(index >= 0 && index <= 255)) return undefined;
  if (index < 16) return String(index);
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return `rgb(${grey} ${grey} ${grey})`;
  }
  const cube = index - 16;
  const level = (step: number): number => (step === 0 ? 0 : 55 + step * 40);
  return `rgb(${level(Math.floor(cube / 36))} ${level(Math.floor(cube / 6) % 6)} ${level(cube % 6)})`;
}
