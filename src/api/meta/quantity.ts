/**
 * Quantities of resources (`250m`, `1.5Gi`, `2e3`): pure. Counted in thousandths, as upstream's controllers do: small
 * enough for processor time, and exact up to 9 TB of memory.
 */
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const binary: Readonly<Record<string, number>> = { Ki: 1, Mi: 2, Gi: 3, Ti: 4, Pi: 5, Ei: 6 };
const pattern = /^([+-]?)(\d+\.?\d*|\.\d+)(?:([eE][+-]?\d{1,3})|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?$/;

/** In thousandths, rounded up; undefined for what is no quantity. */
export function milliOf(text: string | number): number | undefined {
  const match = pattern.exec(String(text));
  if (match === null) return undefined;
  const [, sign, digits = "0", exponent, suffix = ""] = match;
  const power = binary[suffix];
  const scaled =
    power === undefined
      ? Number(`${digits}e${Number(exponent?.slice(1) ?? decimal[suffix] ?? 0) + 3}`)
      : Number(digits) * 1024 ** power * 1000;
  // Never 1000.0000000000001 out of decimal fractions.
  const milli = Math.ceil(Number(scaled.toPrecision(15)));
  return sign === "-" ? -milli : milli;
}

/** `1500` is `1500m`, 2,000 is `2`, 3,000,000 is `3k`: upstream's canonical decimal form. */
export function formatMilli(milli: number): string {
  if (milli % 1000 !== 0) return `${milli}m`;
  let value = milli / 1000;
  let suffix = 0;
  const suffixes = ["", "k", "M", "G", "T", "P", "E"];
  while (value !== 0 && value % 1000 === 0 && suffix < suffixes.length - 1) {
    value /= 1000;
    suffix += 1;
  }
  return `${value}${suffixes[suffix]}`;
}
