import { badQuery } from "./errors.ts";

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

/** Milliseconds of `1h30m` or of a bare number of seconds; undefined when it is neither. */
export function durationMs(text: string): number | undefined {
  const negative = text.startsWith("-");
  const body = text.replace(/^[+-]/, "").replaceAll("_", "");
  if (/^(?:\d+(?:ms|[smhdwy]))+$/.test(body)) {
    let total = 0;
    for (const part of body.matchAll(/(\d+)(ms|[smhdwy])/g)) total += Number(part[1]) * (unitMs[part[2] ?? ""] ?? 0);
    return negative ? -total : total;
  }
  const seconds = numberOf(body);
  if (seconds === undefined || Number.isNaN(seconds)) return undefined;
  return (negative ? -seconds : seconds) * 1000;
}

/** A number as PromQL writes them: decimal, hexadecimal, Inf, NaN, or a duration in seconds. */
export function numberOf(text: string): number | undefined {
  const plain = text.replaceAll("_", "");
  if (/^[+-]?inf$/i.test(plain)) return plain.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(plain)) return Number.NaN;
  const value = Number(plain);
  if (plain !== "" && !Number.isNaN(value)) return value;
  if (/^(?:\d+(?:ms|[smhdwy]))+$/.test(plain)) return (durationMs(plain) ?? 0) / 1000;
  return undefined;
}

const escapes: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
  "'": "'",
};

/** The value of a quoted literal, with Go's escapes; back-quoted text is taken as it is. */
export function stringOf(literal: string): string {
  const body = literal.slice(1, -1);
  if (literal.startsWith("`")) return body;
  return body.replaceAll(/\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{3}|.)/gs, (_all, code: string) => {
    if (/^[xuU]./.test(code)) return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]{3}$/.test(code)) return String.fromCodePoint(Number.parseInt(code, 8));
    const value = escapes[code];
    if (value === undefined) throw badQuery(`Unknown escape sequence "\\${code}" in string ${literal}`);
    return value;
  });
}
