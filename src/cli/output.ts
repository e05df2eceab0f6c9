/** What commands print: tables and words for people, JSON for programs. Colours only where they may be. */
import { mayColour } from "#server";

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 } as const;
export type Colour = keyof typeof codes;

export function paint(text: string, colour: Colour, stream: NodeJS.WriteStream = process.stdout): string {
  return mayColour(stream) ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text;
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2));
}

/** Columns padded to their widest cell; the header in capitals, as kubectl does. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header.map((cell) => cell.toUpperCase()), ...rows];
  const widths = header.map((_cell, column) => Math.max(...all.map((row) => visibleLength(row[column] ?? ""))));
  return all
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}

function pad(cell: string, width: number): string {
  return cell + " ".repeat(Math.max(0, width - visibleLength(cell)));
}

function visibleLength(text: string): number {
  // oxlint-disable-next-line no-control-regex -- escape sequences are what is being removed
  return text.replaceAll(/\u001b\[\d+m/g, "").length;
}

const good = new Set(["success", "Synced", "Healthy", "Succeeded", "live", "Successful", "done", "running"]);
const bad = new Set([
  "failure",
  "OutOfSync",
  "Degraded",
  "Failed",
  "Error",
  "rolled-back",
  "failed",
  "Missing",
  "stopped",
]);

/** A status word in its colour. */
export function status(word: string): string {
  if (good.has(word)) return paint(word, "green");
  return bad.has(word) ? paint(word, "red") : paint(word, "yellow");
}

/** `512 B`, `3.4 kB`, `12 MB`: as people say it, in thousands. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ""}`;
}

/** `3m12s ago`, or `-`. */
export function ago(timestamp: string | undefined, now: Temporal.Instant): string {
  if (timestamp === undefined || timestamp === "") return "-";
  return span(now.epochMilliseconds - Temporal.Instant.from(timestamp).epochMilliseconds);
}

/** `in 3h`: how long it is until a time that is to come. */
export function until(timestamp: string, now: Temporal.Instant): string {
  return `in ${span(Temporal.Instant.from(timestamp).epochMilliseconds - now.epochMilliseconds)}`;
}

function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}
