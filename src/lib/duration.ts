/** Durations as Go writes them (`1h2m3.5s`), which is how every upstream file of ours writes them. */

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a Go duration, or undefined when `text` is not one. A bare `0` is the only number without a unit. */
export function parseGoDuration(text: string): number | undefined {
  const match = /^([+-]?)(.+)$/.exec(text);
  if (match === null) return undefined;
  const [, sign, rest] = match;
  if (rest === "0") return 0;
  let total = 0;
  let consumed = 0;
  for (const part of (rest ?? "").matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy)) {
    total += Number(part[1]) * (unitMs[part[2] ?? ""] ?? 0);
    consumed += part[0].length;
  }
  if (consumed === 0 || consumed !== rest?.length) return undefined;
  return sign === "-" ? -total : total;
}

/**
 * Milliseconds of the looser form Argo uses, where a bare integer (number or string) means seconds.
 * `30`, `"30"`, `"30s"` and `"0.5m"` are all the same.
 */
export function parseSecondsOrDuration(value: number | string): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value * 1000 : undefined;
  if (/^[+-]?\d+$/.test(value)) return Number(value) * 1000;
  return parseGoDuration(value);
}

/** `1h2m3s` for people: at most two units, whole seconds above one second. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  return `${Math.floor(hours / 24)}d`;
}
