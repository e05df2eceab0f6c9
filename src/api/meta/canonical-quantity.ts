/** Quantities in the one form upstream writes each in: `1000m` is `1`, `0.5` is `500m`, `1024Mi` is `1Gi`. Pure. */

const pattern = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?$/;
const decimalSuffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/** Nothing smaller is kept: upstream rounds up to whole nanos. */
const nanos = 1_000_000_000n;
const longest = 64;

/** Undefined for what is no quantity. */
export function canonicalQuantity(text: string): string | undefined {
  const match = text.length > longest ? null : pattern.exec(text);
  if (match === null) return undefined;
  const [, sign = "", digits = "", suffix = "", exponent] = match;
  const value = nanosOf(digits, suffix, exponent) * (sign === "-" ? -1n : 1n);
  const isBinary = suffix.endsWith("i");
  const size = value < 0n ? -value : value;
  // Small binary amounts read better in decimal, as upstream has it.
  if (isBinary && size >= 1024n * nanos) return binaryText(value);
  return exponent === undefined ? decimalText(value) : exponentText(value);
}

function nanosOf(digits: string, suffix: string, exponent: string | undefined): bigint {
  const [whole = "", fraction = ""] = digits.split(".");
  const mantissa = BigInt(`${whole}${fraction}` || "0");
  const isBinary = suffix.endsWith("i");
  const power = isBinary ? 0 : exponent === undefined ? 3 * (decimalSuffixes.indexOf(suffix) - 3) : Number(exponent);
  const factor = isBinary ? 1024n ** BigInt(binarySuffixes.indexOf(suffix)) : 1n;
  const tens = 9 + power - fraction.length;
  const product = mantissa * factor;
  if (tens >= 0) return product * 10n ** BigInt(tens);
  const divisor = 10n ** BigInt(-tens);
  return (product + divisor - 1n) / divisor;
}

function decimalText(value: bigint): string {
  if (value === 0n) return "0";
  const step = stepsOf(value, 1000n, decimalSuffixes.length - 1);
  return `${value / 1000n ** BigInt(step)}${decimalSuffixes[step]}`;
}

function exponentText(value: bigint): string {
  if (value === 0n) return "0";
  const step = stepsOf(value, 1000n, 100);
  const power = 3 * step - 9;
  return `${value / 1000n ** BigInt(step)}${power === 0 ? "" : `e${power}`}`;
}

function binaryText(value: bigint): string {
  const whole = value % nanos === 0n ? value / nanos : value / nanos + 1n;
  const step = stepsOf(whole, 1024n, binarySuffixes.length - 1);
  return `${whole / 1024n ** BigInt(step)}${binarySuffixes[step]}`;
}

/** How often the value can be divided without a rest. */
function stepsOf(value: bigint, base: bigint, most: number): number {
  let step = 0;
  for (let rest = value; step < most && rest % base === 0n; rest /= base) step += 1;
  return step;
}
